internal import CICU

/// Scripts of characters, by ICU, as ICU's script codes.
public enum UnicodeScript {
    public static var common: Int32 { kuoci_script_common }
    public static var inherited: Int32 { kuoci_script_inherited }
    public static var han: Int32 { kuoci_script_han }
    public static var hiragana: Int32 { kuoci_script_hiragana }
    public static var katakana: Int32 { kuoci_script_katakana }
    public static var devanagari: Int32 { kuoci_script_devanagari }

    /// The script of a code point; Common for what is private or not assigned.
    public static func script(of scalar: UInt32) -> Int32 {
        let script = kuoci_icu_script(Int32(bitPattern: scalar))
        return script < 0 || script == kuoci_script_unknown ? common : script
    }

    /// The Unicode version that assigned a code point; (255, 0) if none has.
    public static func age(of scalar: UInt32) -> (major: Int, minor: Int) {
        let age = kuoci_icu_age(Int32(bitPattern: scalar))
        return age == 0 ? (255, 0) : (Int(age >> 8), Int(age & 0xFF))
    }
}
