import Testing
import UnicodeText

@Suite struct ScriptTests {
    @Test(arguments: [
        ("中" as Unicode.Scalar, Script.han), ("々", .han), ("〇", .han), ("𠀀", .han), ("臺", .han), ("a", .latin),
        ("Z", .latin), ("é", .latin), ("の", .kana), ("ア", .kana), ("ㄅ", .bopomofo), ("한", .hangul), ("я", .other),
        ("α", .other), ("7", .common), (" ", .common), ("。", .common), ("，", .common), ("@", .common), ("[", .common),
        ("`", .common), ("{", .common), ("\u{301}", .common), ("\0", .common),
    ])
    func scalarsHaveTheirScript(_ scalar: Unicode.Scalar, _ script: Script) {
        #expect(scalar.script == script)
        #expect(scalar.isHan == (script == .han))
    }
}
