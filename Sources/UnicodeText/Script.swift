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
        return switch code {
        case kuoci_script_han: .han
        case kuoci_script_latin: .latin
        case kuoci_script_hiragana, kuoci_script_katakana: .kana
        case kuoci_script_bopomofo: .bopomofo
        case kuoci_script_hangul: .hangul
        case kuoci_script_common, kuoci_script_inherited: .common
        default: .other
        }
    }

    /// Whether it is a Chinese character (々 and 〇 too); punctuation is not.
    public var isHan: Bool {
        value >= 0x2E80 && script == .han
    }
}
