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
        var parser = JSONParser(bytes: ContiguousArray(bytes))
        self = try parser.parseExactDocument()
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

extension JSONParser {
    mutating func parseExactDocument() throws(JSONError) -> ExactJSON {
        let value = try parseExactValue(depth: 0)
        skipWhitespace()
        if position < bytes.count { throw failure("text after the value") }
        return value
    }

    private mutating func parseExactValue(depth: Int) throws(JSONError) -> ExactJSON {
        skipWhitespace()
        try checkDepth(depth)
        switch current {
        case UInt8(ascii: "{"): return .object(try parseMembers(depth: depth))
        case UInt8(ascii: "["): return .array(try parseElements(depth: depth))
        case UInt8(ascii: "\""): return .string(try parseExactString())
        default: break
        }
        // What holds no string is the same in both.
        return switch try parseValue(depth: depth) {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let text): .number(text)
        case .string, .array, .object: preconditionFailure("begins like no string, array or object")
        }
    }

    private mutating func parseExactString() throws(JSONError) -> [UInt8] {
        let start = position
        let text = try parseStringBytes()
        guard text.allSatisfy({ $0 < 0x80 }) || String(validating: text, as: UTF8.self) != nil else {
            position = start
            throw failure("a string is not valid UTF-8")
        }
        return text
    }

    private mutating func parseMembers(depth: Int) throws(JSONError) -> [ExactJSON.Member] {
        position += 1
        var members: [ExactJSON.Member] = []
        var keys: Set<[UInt8]> = []
        skipWhitespace()
        if current == UInt8(ascii: "}") {
            position += 1
            return members
        }
        while true {
            skipWhitespace()
            guard current == UInt8(ascii: "\"") else { throw failure("a key was expected") }
            let key = try parseExactString()
            if !keys.insert(key).inserted {
                throw failure("the key \(shown(String(decoding: key, as: UTF8.self))) is repeated")
            }
            skipWhitespace()
            guard current == UInt8(ascii: ":") else { throw failure("a colon was expected") }
            position += 1
            members.append(ExactJSON.Member(key: key, value: try parseExactValue(depth: depth + 1)))
            if try endsList(with: UInt8(ascii: "}")) { return members }
        }
    }

    private mutating func parseElements(depth: Int) throws(JSONError) -> [ExactJSON] {
        position += 1
        var elements: [ExactJSON] = []
        skipWhitespace()
        if current == UInt8(ascii: "]") {
            position += 1
            return elements
        }
        while true {
            elements.append(try parseExactValue(depth: depth + 1))
            if try endsList(with: UInt8(ascii: "]")) { return elements }
        }
    }

    /// Goes past what follows an element: a comma, or the list's end.
    private mutating func endsList(with close: UInt8) throws(JSONError) -> Bool {
        skipWhitespace()
        guard let next = current, next == close || next == UInt8(ascii: ",") else {
            throw failure("a comma or a closing \(close == UInt8(ascii: "}") ? "brace" : "bracket") was expected")
        }
        position += 1
        return next == close
    }
}
