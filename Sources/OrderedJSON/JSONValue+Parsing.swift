import OrderedCollections

/// Why a text is not JSON, and at which byte.
public struct JSONError: Error, Equatable, CustomStringConvertible {
    public var offset: Int
    public var reason: String

    public var description: String { "not valid JSON at byte \(offset): \(reason)" }
}

/// A key as an error shows it: quoted, on one line, its first 40 characters.
func shown(_ key: String) -> String {
    JSONValue.string(key.count > 40 ? String(key.prefix(40)) + "…" : key).text(.line)
}

extension JSONValue {
    /// Parses a whole UTF-8 text strictly (RFC 8259); a repeated key is an error, as is more than 127 levels of nesting.
    public init(parsing bytes: some Collection<UInt8>) throws(JSONError) {
        self = try readJSON(bytes) { reader throws(JSONError) in try reader.readValue() }
    }

    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: text.utf8)
    }
}

extension JSONReader {
    /// The next value, with all that is in it.
    fileprivate mutating func readValue() throws(JSONError) -> JSONValue {
        switch try nextKind() {
        case .null:
            try readNull()
            return .null
        case .bool: return .bool(try readBool())
        case .number: return .number(try readNumber())
        case .string: return .string(try readString())
        case .array: return .array(try readElements())
        case .object: return .object(try readMembers())
        }
    }

    private mutating func readElements() throws(JSONError) -> [JSONValue] {
        var elements: [JSONValue] = []
        var list = beginList()
        while try advance(&list) { elements.append(try readValue()) }
        return elements
    }

    private mutating func readMembers() throws(JSONError) -> OrderedDictionary<String, JSONValue> {
        var members: OrderedDictionary<String, JSONValue> = [:]
        var list = beginList()
        while try advance(&list) {
            let key = try readString()
            if members[key] != nil { throw repeated(key) }
            try readColon()
            members[key] = try readValue()
        }
        return members
    }
}
