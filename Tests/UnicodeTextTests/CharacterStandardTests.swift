import Testing
import UnicodeText

@Suite struct CharacterStandardTests {
    @Test(arguments: [(CharacterStandard.gb2312, 6763), (.big5, 5401)])
    func `a standard has as many characters as it says, each once`(_ standard: CharacterStandard, _ count: Int) {
        let characters = standard.characters
        #expect(characters.count == count)
        #expect(Set(characters).count == count)
        #expect(characters.allSatisfy { $0.isHan })
    }

    @Test func `the lists begin and end as printed in the standards`() {
        #expect(CharacterStandard.gb2312.characters.first == "啊")
        #expect(CharacterStandard.gb2312.characters[3754] == "座")
        #expect(CharacterStandard.gb2312.characters[3755] == "亍")
        #expect(CharacterStandard.gb2312.characters.last == "齄")
        #expect(CharacterStandard.big5.characters.first == "一")
        #expect(CharacterStandard.big5.characters.last == "籲")
    }

    /// glibc's converters as another source.
    @Test(arguments: [(CharacterStandard.gb2312, "GB2312", 0xB0), (.big5, "BIG5", 0xA4)])
    func `iconv knows the same characters`(_ standard: CharacterStandard, _ encoding: String, _ firstLead: Int) {
        var known: Set<Unicode.Scalar> = []
        for lead in firstLead...0xF7 {
            for trail in 0x40...0xFE {
                guard let decoder = TextDecoder(encoding: encoding) else { Issue.record("no \(encoding)"); return }
                var text: [UInt8] = []
                [UInt8(lead), UInt8(trail)].withUnsafeBytes { decoder.decode($0, into: &text) }
                if let scalar = String(decoding: text, as: UTF8.self).unicodeScalars.first { known.insert(scalar) }
            }
        }
        #expect(Set(standard.characters).subtracting(known).isEmpty)
    }
}

@Suite struct UnicodeBlockTests {
    @Test func `blocks have their names and characters`() {
        let blocks = UnicodeBlock.cjk
        #expect(blocks.map(\.block.name).prefix(2) == ["CJK Radicals Supplement", "CJK Symbols And Punctuation"])
        let unified = blocks.first { $0.block.name == "CJK Unified Ideographs" }
        #expect(unified?.characters.first == "一")
        #expect((unified?.characters.count ?? 0) >= 20989)
        #expect(UnicodeBlock(of: "A")?.name == "Basic Latin")
        #expect(Unicode.Scalar(UInt32(0x0010_0000)).map { UnicodeBlock(of: $0)?.name.contains("CJK") } == false)
    }

    @Test(arguments: [("中", true), ("𠀀", true), ("豈", true), ("〇", false), ("々", false), ("⼀", false), ("あ", false)])
    func `ideographs are told by their block`(_ scalar: Unicode.Scalar, _ isIdeograph: Bool) {
        #expect(scalar.isInIdeographicBlock == isIdeograph)
    }
}
