// Strings: where they end, and their escapes.
extension JSONReader {
    /// A string that was gone over.
    private struct ScannedString {
        /// Of the opening quote.
        var start: Int
        /// The bytes between the quotes.
        var content: Range<Int>
        /// Its bytes with the escapes undone, if it has any.
        var unescaped: [UInt8]?
        var isASCII: Bool
    }

    /// Reads the string that begins here.
    package mutating func readString() throws(JSONError) -> String {
        let text = try scanString()
        guard let string = validString(text) else { throw notUTF8(text) }
        releaseWhatIsRead()
        return string
    }

    /// The bytes of the string that begins here; they are UTF-8.
    mutating func readStringBytes() throws(JSONError) -> [UInt8] {
        let text = try scanString()
        if !text.isASCII, validString(text) == nil { throw notUTF8(text) }
        return text.unescaped ?? Array(bytes[text.content])
    }

    /// Goes past the string that begins here.
    mutating func skipString() throws(JSONError) {
        let text = try scanString()
        if !text.isASCII, validString(text) == nil { throw notUTF8(text) }
    }

    private func validString(_ text: ScannedString) -> String? {
        if let bytes = text.unescaped { return String(validating: bytes, as: UTF8.self) }
        let content = UnsafeBufferPointer(rebasing: bytes[text.content])
        return text.isASCII ? String(decoding: content, as: UTF8.self) : String(validating: content, as: UTF8.self)
    }

    private func notUTF8(_ text: ScannedString) -> JSONError {
        JSONError(offset: text.start, reason: "a string is not valid UTF-8")
    }

    private mutating func scanString() throws(JSONError) -> ScannedString {
        var text = ScannedString(start: position, content: 0..<0, unescaped: nil, isASCII: true)
        position += 1
        var start = position
        var seen: UInt8 = 0
        while position < bytes.count {
            let byte = bytes[position]
            switch byte {
            case UInt8(ascii: "\""):
                text.content = text.start + 1..<position
                text.unescaped?.append(contentsOf: bytes[start..<position])
                text.isASCII = seen < 0x80 && text.unescaped == nil
                position += 1
                return text
            case UInt8(ascii: "\\"):
                var unescaped = text.unescaped.take() ?? []
                unescaped.append(contentsOf: bytes[start..<position])
                try readEscape(into: &unescaped)
                text.unescaped = unescaped
                start = position
            case 0..<0x20: throw failure("a control character stands in a string")
            default:
                seen |= byte
                position += 1
            }
        }
        throw failure("a string is not closed")
    }

    private mutating func readEscape(into text: inout [UInt8]) throws(JSONError) {
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
        case UInt8(ascii: "u"): text.append(contentsOf: UTF8.encode(try readUnicodeEscape()) ?? .init())
        default: throw failure("an unknown escape in a string")
        }
    }

    /// The character behind `\u`, which two escapes may spell together.
    private mutating func readUnicodeEscape() throws(JSONError) -> Unicode.Scalar {
        var codePoint = try readHexQuad()
        if (0xD800..<0xDC00).contains(codePoint) {
            guard bytes.count - position >= 2, bytes[position] == UInt8(ascii: "\\"),
                bytes[position + 1] == UInt8(ascii: "u")
            else { throw failure("half of a surrogate pair") }
            position += 2
            let low = try readHexQuad()
            guard (0xDC00..<0xE000).contains(low) else { throw failure("half of a surrogate pair") }
            codePoint = 0x10000 + (codePoint - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(codePoint) else { throw failure("half of a surrogate pair") }
        return scalar
    }

    private mutating func readHexQuad() throws(JSONError) -> UInt32 {
        var value: UInt32 = 0
        for offset in 0..<4 {
            guard bytes.count - position >= 4, let digit = hexDigit(bytes[position + offset]) else {
                throw failure("four hexadecimal digits were expected")
            }
            value = value << 4 | digit
        }
        position += 4
        return value
    }
}

private func hexDigit(_ byte: UInt8) -> UInt32? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
}
