/// A JSON value whose strings are UTF-8 bytes.
///
/// Swift takes canonically equivalent strings for equal: `é` and `e` with an accent would be one key of a
/// `JSONValue`. In a vocabulary they are two.
public enum ExactJSON: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number as it is spelled.
    case number(String)
    case string([UInt8])
    case array([ExactJSON])
    case object([Member])

    public struct Member: Sendable, Equatable {
        public var key: [UInt8]
        public var value: ExactJSON
    }

    /// Parses a whole UTF-8 text as `JSONValue` does; a key that is there twice, byte for byte, is an error.
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        self = try readJSON(bytes) { reader throws(JSONError) in try reader.readExactValue() }
    }

    public var bytes: [UInt8]? {
        if case .string(let value) = self { value } else { nil }
    }

    public var string: String? {
        bytes.map { String(decoding: $0, as: UTF8.self) }
    }

    public var bool: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    /// The number as an integer, if it is spelled as one and fits.
    public var int: Int? {
        if case .number(let text) = self { Int(text) } else { nil }
    }

    public var double: Double? {
        if case .number(let text) = self { Double(text) } else { nil }
    }

    public var array: [ExactJSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    public var members: [Member]? {
        if case .object(let value) = self { value } else { nil }
    }

    public var isNull: Bool { self == .null }

    /// The member of an object; a search from its start, for objects of few members.
    public subscript(key: String) -> ExactJSON? {
        members?.first { $0.key.elementsEqual(key.utf8) }?.value
    }
}

extension JSONReader {
    /// The next value, with all that is in it.
    fileprivate mutating func readExactValue() throws(JSONError) -> ExactJSON {
        switch try nextKind() {
        case .null:
            try readNull()
            return .null
        case .bool: return .bool(try readBool())
        case .number: return .number(try readNumber())
        case .string: return .string(try readStringBytes())
        case .array: return .array(try readExactElements())
        case .object: return .object(try readExactMembers())
        }
    }

    private mutating func readExactElements() throws(JSONError) -> [ExactJSON] {
        var elements: [ExactJSON] = []
        var list = beginList()
        while try advance(&list) { elements.append(try readExactValue()) }
        return elements
    }

    private mutating func readExactMembers() throws(JSONError) -> [ExactJSON.Member] {
        var members: [ExactJSON.Member] = []
        var keys: Set<[UInt8]> = []
        var list = beginList()
        while try advance(&list) {
            let key = try readStringBytes()
            guard keys.insert(key).inserted else { throw repeated(String(decoding: key, as: UTF8.self)) }
            try readColon()
            members.append(ExactJSON.Member(key: key, value: try readExactValue()))
        }
        return members
    }
}
