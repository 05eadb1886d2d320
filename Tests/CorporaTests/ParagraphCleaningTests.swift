import Testing

@testable import Corpora

private func cleaned(_ text: String) -> [String] {
    cleanedParagraphs(of: Array(text.utf8)).map { String(decoding: $0.text, as: UTF8.self) }
}

@Suite struct ParagraphCleaningTests {
    @Test(arguments: [
        ("  列出当前\n目录的内容。 \n", "列出当前目录的内容。"),
        ("使用 ls\n命令列出内容", "使用 ls 命令列出内容"),
        ("他说\n“你好吗朋友”", "他说“你好吗朋友”"),
        ("列出\u{A0}\u{3000}目录内容", "列出 目录内容"),
        ("• 列出目录的内容", "列出目录的内容"),
        ("列\u{200B}出\u{AD}目\u{7}录\u{E001}内容", "列出目录内容"),
        ("警告： 必 須 置 為 不 可 寫 ， 因 為", "警告：必須置為不可寫，因為"),
        ("第三章 网络配置与管理方法", "第三章 网络配置与管理方法"),
    ])
    func whiteSpaceAndInvisibleMarksAreMended(_ raw: String, _ text: String) {
        #expect(cleaned(raw) == [text])
    }

    @Test(arguments: [
        ("列出目录的内容，并按照名称排序。", Language.chinese),
        ("使用 gcc 编译程序时，加上 -O2 选项。", .chinese),
        ("The quick brown fox jumps over the lazy dog.", .english),
        ("The word 中 means middle, and a great many other things as well, in the language.", .english),
    ])
    func lettersTellTheLanguage(_ text: String, _ language: Language) {
        #expect(cleanedParagraphs(of: Array(text.utf8)).map(\.language) == [language])
    }

    @Test(arguments: [
        "", "   \n", "确定", "OK", "----------", "1.2.3.4", "これは日本語の文章であり、中国語ではありません。",
        "이것은 한국어 문장입니다 그리고 더 있습니다", "Это русский текст, а не китайский и не английский.",
        "for (int i = 0; i < n; i++) { a[i] = b[i] + c[i]; }", "乱码\u{FFFD}在这一个段落里面", "│ 命令 │ 它的说明文字 │",
        "gcc -Wall -O2 -o main main.c util.c 编译选项举例",
    ])
    func whatIsNoProseFallsAway(_ text: String) {
        #expect(cleaned(text).isEmpty)
    }

    @Test func longParagraphsAreCutAtSentences() {
        let sentence = "这是一个不长也不短的句子，用来填满一个很长的段落。"
        let pieces = cleaned(String(repeating: sentence, count: 200))
        #expect(pieces.count > 1)
        #expect(pieces.joined() == String(repeating: sentence, count: 200))
        for piece in pieces { #expect(piece.utf8.count <= longestParagraph && piece.hasSuffix("。")) }
    }

    @Test func withoutSentencesTheCutIsBetweenCharacters() {
        let text = String(repeating: "字", count: 5000)
        let pieces = cleaned(text)
        #expect(pieces.joined() == text)
        for piece in pieces { #expect(piece.utf8.count <= longestParagraph) }
    }
}

@Suite struct ContentHashTests {
    @Test func aShareOfTextsIsHeldOut() {
        let hashes = (0..<20_000).map { ContentHash(Array("段落 \($0)".utf8)) }
        #expect(Set(hashes).count == hashes.count)
        let heldOut = hashes.count { $0.isHeldOut(share: 0.02) }
        #expect((300...500).contains(heldOut))
        // A larger share holds the smaller one.
        #expect(hashes.allSatisfy { !$0.isHeldOut(share: 0.01) || $0.isHeldOut(share: 0.02) })
        #expect(!hashes.contains { $0.isHeldOut(share: 0) })
    }

    @Test func smallTextsGiveALargerShare() {
        #expect(heldOutShare(ofBytes: 0) == 0.1)
        #expect(heldOutShare(ofBytes: 10_000) == 0.1)
        #expect(heldOutShare(ofBytes: 12_000_000) == 0.02)
        #expect(heldOutShare(ofBytes: 1 << 30) < 0.001)
    }
}
