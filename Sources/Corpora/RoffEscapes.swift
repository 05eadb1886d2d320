/// A line of roff without its escapes: fonts and sizes fall away, named characters become what they name.
func plainText(ofRoff line: [UInt8]) -> [UInt8] {
    guard line.contains(UInt8(ascii: "\\")) else { return line }
    var reader = RoffEscapes(line: line)
    return reader.read()
}

private struct RoffEscapes {
    let line: [UInt8]
    private var index = 0
    private var result: [UInt8] = []

    init(line: [UInt8]) {
        self.line = line
    }

    mutating func read() -> [UInt8] {
        while let byte = take() {
            if byte == UInt8(ascii: "\\") { if !readEscape() { break } } else { result.append(byte) }
        }
        return result
    }

    private mutating func take() -> UInt8? {
        guard index < line.count else { return nil }
        defer { index += 1 }
        return line[index]
    }

    private var next: UInt8? { index < line.count ? line[index] : nil }

    /// False if the rest of the line is a comment.
    private mutating func readEscape() -> Bool {
        guard let byte = take() else { return true }
        switch Character(Unicode.Scalar(byte)) {
        case "\"", "#": return false
        case "-": result.append(UInt8(ascii: "-"))
        case "e", "\\": result.append(UInt8(ascii: "\\"))
        case "'": result.append(UInt8(ascii: "'"))
        case "`": result.append(UInt8(ascii: "`"))
        case ".": result.append(UInt8(ascii: "."))
        case " ", "~", "0", "t", "p": result.append(0x20)
        case "(": appendCharacter(named: takeName(2))
        case "[": appendCharacter(named: takeBracketed())
        case "C": appendCharacter(named: takeDelimited())
        case "*": appendString(named: takeFlexibleName())
        case "f", "F", "g", "k", "m", "M", "n", "V", "Y": _ = takeSignedName()
        case "s": skipSize()
        case "A", "b", "B", "D", "h", "H", "l", "L", "N", "o", "R", "S", "v", "w", "x", "X", "Z": _ = takeDelimited()
        // \& \/ \, \| \^ \% \: \c \d \u \r \z \{ \} and what roff does not know: nothing to be seen.
        default: if byte >= 0x80 { result.append(byte) }
        }
        return true
    }

    private mutating func takeName(_ count: Int) -> String {
        let name = line[index..<min(index + count, line.count)]
        index = name.endIndex
        return String(decoding: name, as: UTF8.self)
    }

    private mutating func takeBracketed() -> String {
        let name = line[index...].prefix { $0 != UInt8(ascii: "]") }
        index = min(name.endIndex + 1, line.count)
        return String(decoding: name, as: UTF8.self)
    }

    /// `x`, `(xx` or `[xxx]`.
    private mutating func takeFlexibleName() -> String {
        guard let byte = take() else { return "" }
        switch byte {
        case UInt8(ascii: "("): return takeName(2)
        case UInt8(ascii: "["): return takeBracketed()
        default: return String(Unicode.Scalar(byte))
        }
    }

    private mutating func takeSignedName() -> String {
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
        return takeFlexibleName()
    }

    /// What stands between a character and its next occurrence.
    private mutating func takeDelimited() -> String {
        guard let delimiter = take() else { return "" }
        let name = line[index...].prefix { $0 != delimiter }
        index = min(name.endIndex + 1, line.count)
        return String(decoding: name, as: UTF8.self)
    }

    /// `\s-2`, `\s10`, `\s[+1]`, `\s'12'`.
    private mutating func skipSize() {
        if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { index += 1 }
        switch next {
        case UInt8(ascii: "["), UInt8(ascii: "("): _ = takeFlexibleName()
        case UInt8(ascii: "'"): _ = takeDelimited()
        // Two digits only for 10 to 39.
        case .some(UInt8(ascii: "1")...UInt8(ascii: "3")):
            index += 1
            if let digit = next, (0x30...0x39).contains(digit) { index += 1 }
        case .some: index += 1
        case nil: break
        }
    }

    private mutating func appendCharacter(named name: String) {
        if let text = namedCharacters[name] {
            result += Array(text.utf8)
        } else if name.first == "u", let scalar = UInt32(name.dropFirst(), radix: 16).flatMap(Unicode.Scalar.init) {
            result += Array(String(scalar).utf8)
        }
    }

    private mutating func appendString(named name: String) {
        if let text = ["lq": "“", "rq": "”", "R": "®", "Tm": "™", "Aq": "'"][name] { result += Array(text.utf8) }
    }
}

/// Those that manual pages use, from groff_char(7).
private let namedCharacters: [String: String] = [
    "bu": "•", "em": "—", "en": "–", "hy": "-", "lq": "“", "rq": "”", "oq": "‘", "cq": "’", "aq": "'", "dq": "\"",
    "ga": "`", "ha": "^", "ti": "~", "rs": "\\", "bv": "|", "ba": "|", "or": "|", "sl": "/", "sh": "#", "Do": "$",
    "co": "©", "rg": "®", "tm": "™", "de": "°", "mu": "×", "di": "÷", "+-": "±", "<=": "≤", ">=": "≥", "!=": "≠",
    "==": "≡", "~=": "≈", "->": "→", "<-": "←", "ua": "↑", "da": "↓", "la": "⟨", "ra": "⟩", "lB": "[", "rB": "]",
    "lC": "{", "rC": "}", "mi": "−", "pl": "+", "eq": "=", "if": "∞", "sc": "§", "dg": "†", "ct": "¢", "Eu": "€",
    "Po": "£", "Ye": "¥", "12": "½", "14": "¼", "34": "¾", "a~": "~", "a^": "^", "aa": "´", "pc": "·", "ci": "○",
    "sq": "□", "Fo": "«", "Fc": "»", "fo": "‹", "fc": "›", "bq": "‚", "Bq": "„", "ul": "_", "at": "@", "tf": "∴",
    "'e": "é", "'E": "É", "`e": "è", "'a": "á", "`a": "à", "'i": "í", "'o": "ó", "'u": "ú", ":a": "ä", ":o": "ö",
    ":u": "ü", ":A": "Ä", ":O": "Ö", ":U": "Ü", ":e": "ë", ":i": "ï", "^a": "â", "^e": "ê", "^o": "ô", "~n": "ñ",
    ",c": "ç", "oa": "å", "/o": "ø", "ss": "ß", "ae": "æ", "*a": "α", "*b": "β", "*p": "π", "*m": "μ",
]
