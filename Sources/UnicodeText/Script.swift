internal import CICU

/// The writing systems that the project tells apart.
public enum Script: Sendable, Equatable {
    case han, latin, kana, bopomofo, hangul
    /// Digits, punctuation, combining marks: what many scripts share.
    case common
    case other
}

extension Unicode.Scalar {
    /// The script, by ICU's Unicode tables.
    public var script: Script {
        if value < 0x80 {
            let isLetter = (0x41...0x5A).contains(value & ~0x20)
            return isLetter ? .latin : .common
        }
        let code = kuoci_icu_script(Int32(value))
        return switch UScriptCode(rawValue: code) {
        case USCRIPT_HAN: .han
        case USCRIPT_LATIN: .latin
        case USCRIPT_HIRAGANA, USCRIPT_KATAKANA: .kana
        case USCRIPT_BOPOMOFO: .bopomofo
        case USCRIPT_HANGUL: .hangul
        case USCRIPT_COMMON, USCRIPT_INHERITED: .common
        default: .other
        }
    }

    /// Whether it is a Chinese character (々 and 〇 too); punctuation is not.
    public var isHan: Bool {
        value >= 0x2E80 && script == .han
    }
}
