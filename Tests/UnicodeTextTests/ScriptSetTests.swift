import Testing
import UnicodeText

struct ScriptSetTests {
    @Test func `a text holds Chinese if one character is of the script`() {
        let han = ScriptSet([.han])
        for text in ["中", "abc〇", "時々", "\u{20000}", "ａ，b中"] { #expect(han.isFound(in: Array(text.utf8)), "\(text)") }
        for text in ["", "abc", "。，「」", "かなカナ", "한국", "é😀"] { #expect(!han.isFound(in: Array(text.utf8)), "\(text)") }
        #expect(!han.isFound(in: [0xE4, 0xB8]))
        #expect(ScriptSet([.latin]).isFound(in: Array("1a".utf8)))
        #expect(!ScriptSet([.latin]).isFound(in: Array("1 中".utf8)))
        #expect(ScriptSet([.bopomofo]).contains(0x3105) && !han.contains(0x3105))
    }
}

struct EncodingRepertoireTests {
    @Test func `GB2312 has 6763 Chinese characters and Big5 two levels of them, in code order`() throws {
        let han = ScriptSet([.han])
        let simplified = try #require(TextDecoder.characters(ofEncoding: "gb2312")).filter(han.contains)
        // 々 stands among the punctuation.
        #expect(simplified.count == 1 + 6763)
        #expect(simplified.prefix(3) == [0x3005, 0x554A, 0x963F])
        let traditional = try #require(TextDecoder.characters(ofEncoding: "big5")).filter(han.contains)
        #expect(traditional.count >= 5401 + 7650)
        #expect(traditional.contains(0x4E00) && traditional.contains(0x9F8D))
        #expect(TextDecoder.characters(ofEncoding: "no such") == nil)
    }
}
