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
        var parser = JSONParser(bytes: ContiguousArray(bytes))
        self = try parser.parseDocument()
    }

    public init(parsing text: String) throws(JSONError) {
        try self.init(parsing: text.utf8)
    }
}

struct JSONParser {
    let bytes: ContiguousArray<UInt8>
    var position = 0

    /// Arrays and objects in one another: as many as serde_json takes, which safetensors and tokenizers read with.
    static let deepest = 127

    init(bytes: ContiguousArray<UInt8>) {
        self.bytes = bytes
    }

    mutating func parseDocument() throws(JSONError) -> JSONValue {
        let value = try parseValue(depth: 0)
        skipWhitespace()
        if position < bytes.count { throw failure("text after the value") }
        return value
    }

    func failure(_ reason: String) -> JSONError {
        JSONError(offset: position, reason: reason)
    }

    var current: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func parseValue(depth: Int) throws(JSONError) -> JSONValue {
        skipWhitespace()
        try checkDepth(depth)
        switch current {
        case UInt8(ascii: "{"): return try parseObject(depth: depth)
        case UInt8(ascii: "["): return try parseArray(depth: depth)
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return try parseNumber()
        case nil: throw failure("it ends early")
        default: throw failure("a value was expected")
        }
    }

    /// Whether the value that begins here may hold others.
    func checkDepth(_ depth: Int) throws(JSONError) {
        guard depth >= Self.deepest, current == UInt8(ascii: "{") || current == UInt8(ascii: "[") else { return }
        throw failure("nested too deeply")
    }

    mutating func parseWord(_ word: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        let text = "\(word)"
        guard bytes[position...].starts(with: text.utf8) else { throw failure("a value was expected") }
        position += text.utf8.count
        return value
    }

    mutating func parseObject(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var members: OrderedDictionary<String, JSONValue> = [:]
        skipWhitespace()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(members)
        }
        while true {
            skipWhitespace()
            guard current == UInt8(ascii: "\"") else { throw failure("a key was expected") }
            let key = try parseString()
            if members[key] != nil { throw failure("the key \(shown(key)) is repeated") }
            skipWhitespace()
            guard current == UInt8(ascii: ":") else { throw failure("a colon was expected") }
            position += 1
            members[key] = try parseValue(depth: depth + 1)
            skipWhitespace()
            let next = current
            position += 1
            if next == UInt8(ascii: "}") { return .object(members) }
            if next != UInt8(ascii: ",") { throw failure("a comma or a closing brace was expected") }
        }
    }

    mutating func parseArray(depth: Int) throws(JSONError) -> JSONValue {
        position += 1
        var elements: [JSONValue] = []
        skipWhitespace()
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try parseValue(depth: depth + 1))
            skipWhitespace()
            let next = current
            position += 1
            if next == UInt8(ascii: "]") { return .array(elements) }
            if next != UInt8(ascii: ",") { throw failure("a comma or a closing bracket was expected") }
        }
    }

    mutating func parseNumber() throws(JSONError) -> JSONValue {
        let start = position
        if current == UInt8(ascii: "-") { position += 1 }
        if current == UInt8(ascii: "0") { position += 1 } else { try skipDigits() }
        if current == UInt8(ascii: ".") {
            position += 1
            try skipDigits()
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            try skipDigits()
        }
        return .number(String(decoding: bytes[start..<position], as: UTF8.self))
    }

    mutating func skipDigits() throws(JSONError) {
        let start = position
        while let byte = current, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") { position += 1 }
        if position == start { throw failure("a digit was expected") }
    }

    mutating func parseString() throws(JSONError) -> String {
        let text = try parseStringBytes()
        guard let string = String(validating: text, as: UTF8.self) else {
            position -= 1
            throw failure("a string is not valid UTF-8")
        }
        return string
    }

    /// The string's bytes with its escapes undone; whether they are UTF-8 is left to the caller.
    mutating func parseStringBytes() throws(JSONError) -> [UInt8] {
        position += 1
        var text: [UInt8] = []
        var start = position
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                text.append(contentsOf: bytes[start..<position])
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text.append(contentsOf: bytes[start..<position])
                try parseEscape(into: &text)
                start = position
            case 0..<0x20: throw failure("a control character stands in a string")
            default: position += 1
            }
        }
        throw failure("a string is not closed")
    }

    mutating func parseEscape(into text: inout [UInt8]) throws(JSONError) {
        position += 1
        guard let byte = current else { throw failure("a string is not closed") }
        position += 1
        switch byte {
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "u"):
            var codePoint = try parseHexQuad()
            if (0xD800..<0xDC00).contains(codePoint) {
                guard current == UInt8(ascii: "\\"), bytes[position...].dropFirst().first == UInt8(ascii: "u") else {
                    throw failure("half of a surrogate pair")
                }
                position += 2
                let low = try parseHexQuad()
                guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
                codePoint = 0x10000 + (codePoint - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(codePoint) else { throw failure("half of a surrogate pair") }
            text.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
        default: throw failure("an unknown escape in a string")
        }
    }

    mutating func parseHexQuad() throws(JSONError) -> UInt32 {
        guard position + 4 <= bytes.count,
            bytes[position..<position + 4].allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw failure("four hexadecimal digits were expected") }
        position += 4
        return value
    }
}
