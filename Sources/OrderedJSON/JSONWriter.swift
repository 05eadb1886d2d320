/// How JSON is laid out.
public struct JSONStyle: Sendable {
    /// Spaces per level, or nil for one line.
    public var indent: Int?
    public var sortsKeys: Bool
    /// Escapes all but ASCII, as Python's `json.dumps` does unless told otherwise.
    public var escapesNonASCII: Bool
    /// With `indent` nil: no spaces after commas and colons.
    public var isCompact: Bool

    public init(indent: Int? = nil, sortsKeys: Bool = false, escapesNonASCII: Bool = false, isCompact: Bool = false) {
        self.indent = indent
        self.sortsKeys = sortsKeys
        self.escapesNonASCII = escapesNonASCII
        self.isCompact = isCompact
    }

    /// `json.dumps(value, indent=2, sort_keys=True)`, the layout of Hugging Face's files.
    public static let huggingFace = JSONStyle(indent: 2, sortsKeys: true, escapesNonASCII: true)
    /// Two spaces a level, keys in their own order, text as it is.
    public static let pretty = JSONStyle(indent: 2)
    /// One line without spaces, for log lines and headers.
    public static let line = JSONStyle(isCompact: true)
}

extension JSONValue {
    public func text(_ style: JSONStyle = .pretty) -> String {
        String(decoding: utf8(style), as: UTF8.self)
    }

    public func utf8(_ style: JSONStyle = .pretty) -> [UInt8] {
        var writer = JSONWriter(style: style)
        writer.write(self, level: 0)
        return writer.bytes
    }
}

private struct JSONWriter {
    let style: JSONStyle
    var bytes: [UInt8] = []

    init(style: JSONStyle) {
        self.style = style
    }

    mutating func write(_ value: JSONValue, level: Int) {
        switch value {
        case .null: append("null")
        case .bool(let value): append(value ? "true" : "false")
        case .number(let text): append(text)
        case .string(let text): write(text)
        case .array(let elements):
            writeList(open: "[", close: "]", elements, level: level) { $0.write($1, level: level + 1) }
        case .object(let members):
            let pairs = members.map { (key: $0.key, value: $0.value) }
            let ordered =
                style.sortsKeys
                ? pairs.sorted { $0.key.unicodeScalars.lexicographicallyPrecedes($1.key.unicodeScalars) } : pairs
            writeList(open: "{", close: "}", ordered, level: level) { writer, pair in
                writer.write(pair.key)
                writer.append(writer.style.isCompact ? ":" : ": ")
                writer.write(pair.value, level: level + 1)
            }
        }
    }

    mutating func append(_ text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    mutating func writeList<Element>(
        open: String, close: String, _ elements: [Element], level: Int, _ body: (inout JSONWriter, Element) -> Void
    ) {
        append(open)
        for (index, element) in elements.enumerated() {
            if index > 0 { append(style.indent == nil && !style.isCompact ? ", " : ",") }
            breakLine(level: level + 1)
            body(&self, element)
        }
        if !elements.isEmpty { breakLine(level: level) }
        append(close)
    }

    mutating func breakLine(level: Int) {
        guard let indent = style.indent else { return }
        bytes.append(0x0A)
        bytes.append(contentsOf: repeatElement(0x20, count: indent * level))
    }

    mutating func write(_ text: String) {
        append("\"")
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": append("\\\"")
            case "\\": append("\\\\")
            case "\n": append("\\n")
            case "\r": append("\\r")
            case "\t": append("\\t")
            case "\u{08}": append("\\b")
            case "\u{0C}": append("\\f")
            case "\0"..<" ": writeEscape(UInt16(scalar.value))
            case "\u{7F}"... where style.escapesNonASCII && scalar.value > 0x7F:
                for unit in String(scalar).utf16 { writeEscape(unit) }
            default: bytes.append(contentsOf: String(scalar).utf8)
            }
        }
        append("\"")
    }

    mutating func writeEscape(_ unit: UInt16) {
        let digits = String(unit, radix: 16)
        append("\\u" + String(repeating: "0", count: 4 - digits.count) + digits)
    }
}
