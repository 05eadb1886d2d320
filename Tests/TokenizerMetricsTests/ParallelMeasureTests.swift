import FileIO
import PieceModel
import TestSupport
import Testing
import TokenizerMetrics
import Tokenizers

@Suite struct ParallelMeasureTests {
    private func measure(_ first: String, _ second: String, _ pieces: [[String]]) throws -> ParallelMeasure {
        try withTemporaryDirectory { directory in
            let paths = [directory + "/first.txt", directory + "/second.txt"]
            for (path, text) in zip(paths, [first, second]) { try writeFile(path, Array(text.utf8)) }
            return try ParallelMeasure(
                [("zh", paths[0]), ("en", paths[1])], tokenizers: pieces.map { try characterTokenizer($0) })
        }
    }

    @Test func `tokens of each language are counted line by line`() throws {
        let found = try measure(
            "中文\n\n文\n", "a bc\nleft out\nabc",
            [["a", "b", "c", "中", "文"], ["bc", "b", "c", "中文", "中", "文"]])
        #expect(found.languages == ["zh", "en"])
        #expect((found.texts, found.skipped) == (2, 1))
        #expect(found.makeups.map(\.characters) == [3, 7])
        #expect(found.makeups.map(\.bytes) == [9, 7])
        // a, the three bytes of ▁, b, c and a, b, c; then a as a byte, and bc.
        #expect(found.tokens == [[3, 9], [2, 7]])
    }

    @Test(arguments: [("中\n文\n\n \n", "a\nb"), ("中\n文", "a\nb\n\n"), ("中\n文\n\n\n\n", "a\nb\n\n")])
    func `blank lines at the end of a file are none`(_ first: String, _ second: String) throws {
        let found = try measure(first, second, [["a", "b", "中", "文"]])
        #expect(found.texts == 2)
        #expect(found.makeups.map(\.characters) == [2, 2])
    }

    @Test func `files of different lengths are refused by name`() throws {
        try withTemporaryDirectory { directory in
            let (short, long) = (directory + "/short.txt", directory + "/long.txt")
            try writeFile(short, Array("1\n2\n".utf8))
            try writeFile(long, Array("1\n2\n3\n".utf8))
            #expect(throws: MetricsError.notAligned(path: short, lines: 2, longer: long)) {
                try ParallelMeasure([("a", long), ("b", short)], tokenizers: [])
            }
            // A blank line before more text is one that the other lacks.
            try writeFile(long, Array("1\n2\n\n4\n".utf8))
            #expect(throws: MetricsError.notAligned(path: short, lines: 2, longer: long)) {
                try ParallelMeasure([("a", long), ("b", short)], tokenizers: [])
            }
        }
    }
}

@Suite struct TextMakeupTests {
    private func makeup(_ text: String) throws -> TextMakeup {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", Array(text.utf8))
            return try TokenizationMeasure(file: directory + "/text.txt", tokenizers: []).text
        }
    }

    @Test(
        arguments: [
            ("two words", 2, 8, 0, true), (" a\tb\u{3000}c\u{A0}d ", 4, 4, 0, true), ("中文 ab", 2, 4, 2, true),
            ("中文a", 1, 3, 2, false), ("かな漢字", 1, 4, 4, false), ("12, 3", 2, 0, 0, true), ("слово", 1, 5, 0, true),
        ])
    func `words are what stands between white space`(
        _ text: String, _ words: Int, _ letters: Int, _ eastAsian: Int, _ isSpaced: Bool
    ) throws {
        let found = try makeup(text)
        #expect((found.words, found.letters) == (words, letters))
        #expect((found.eastAsianLetters, found.isSpaced) == (eastAsian, isSpaced))
        #expect(found.characters == text.unicodeScalars.count && found.bytes == text.utf8.count)
    }
}

@Suite struct ExtensionWorthTests {
    @Test(
        arguments: [
            (1.2, 0.6, 1, .yes), (1.0, 0.75, 1, .yes), (1.0, 0.76, 1, .little), (1.0, 0.91, 1, .no),
            // Half the tokens, each half as dear again: a quarter less in all.
            (1.0, 0.5, 1.5, .yes), (1.0, 0.5, 1.6, .little), (1.0, 0.5, 2.0, .no),
        ] as [(Double, Double, Double, ExtensionWorth.Verdict)])
    func `a quarter less is worth it, a tenth a little`(
        _ before: Double, _ after: Double, _ cost: Double, _ verdict: ExtensionWorth.Verdict
    ) {
        let worth = ExtensionWorth(
            tokensPerCharacterBefore: before, tokensPerCharacterAfter: after, costPerToken: cost)
        #expect(worth.verdict == verdict)
    }

    @Test func `an empty text has no verdict`() {
        let worth = ExtensionWorth(tokensPerCharacterBefore: .nan, tokensPerCharacterAfter: .nan)
        #expect(worth.verdict == nil)
    }

    private func expected(_ text: String, _ pieces: [String]) throws -> ExtensionWorth? {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", Array(text.utf8))
            let tokenizer = try characterTokenizer(pieces)
            let measure = try TokenizationMeasure(file: directory + "/text.txt", tokenizers: [tokenizer])
            return ExtensionWorth(expectedFor: measure.text, measure.counts[0].uses, in: tokenizer.vocabulary)
        }
    }

    @Test func `a base that takes 0.7 tokens for a Chinese character gains nothing`() throws {
        // Ten Chinese characters in seven tokens, then a sign that is a piece.
        let worth = try #require(try expected("中文中文中文中中中中。", ["中", "文", "中文", "。"]))
        #expect(worth.tokensPerCharacterBefore == 8.0 / 11)
        #expect(abs(worth.tokensPerCharacterAfter - 8.0 / 11) < 1e-12)
        #expect(worth.verdict == .no)
    }

    @Test func `a base that spells Chinese in bytes gains what 0.7 tokens save`() throws {
        // Thirty bytes and a letter become seven tokens and the letter.
        let worth = try #require(try expected("中文中文中文中中中中a", ["a"]))
        #expect(abs(worth.saving - (1 - 8.0 / 31)) < 1e-12)
        #expect(worth.verdict == .yes)
        #expect(try expected("plain text", ["a"]) == nil)
    }
}
