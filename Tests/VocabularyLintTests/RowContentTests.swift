import FileIO
import TestSupport
import Testing
import Tokenizers

@testable import VocabularyLint

@Suite struct RowContentTests {
    private func report(_ pieces: [String], base: [String]? = nil) throws -> LintReport {
        try LintReport(tokenizer(pieces.map { ($0, 0) }), base: base.map { try tokenizer($0.map { ($0, 0) }) })
    }

    @Test func `rows are sorted by the scripts of their characters`() throws {
        let report = try report(["中", "▁中", "A股", "abc", "，", "〇", "12", "カ中"])
        #expect(report.rowsWithoutScripts == [4, 5, 7])
        #expect(report.rowsWithoutIdeographs == [4, 5, 6, 7])
        #expect(report.rowsMixingScripts == [3, 8])
    }

    @Test func `only digits side by side make a string of digits`() throws {
        let report = try report(["1", "12", "a1b2", "１２", "二〇", "第10", "٣٤", "1½"])
        #expect(report.digitStrings == [2, 4, 6, 7])
    }

    @Test func `duplicates are groups with a new row`() throws {
        let pieces = ["A", "ﬁ", "fi", "▁", "Ａ", "\u{3000}", "①", "1", "é", "e\u{301}"]
        #expect(try report(pieces).duplicates == [[1, 5], [2, 3], [4, 6], [7, 8], [9, 10]])
        #expect(try report(pieces, base: Array(pieces.prefix(4))).duplicates == [[1, 5], [4, 6], [7, 8], [9, 10]])
    }

    @Test func `a character is covered by a row of its own`() throws {
        let report = try report(["一", "丁", "啊", "一丁"])
        let gb2312 = try #require(report.standards.first)
        #expect((gb2312.count, gb2312.covered) == (6763, 3))
        #expect(gb2312.missing.first == "阿" && !gb2312.missing.contains("啊"))
        #expect(report.blocks.filter { $0.covered > 0 }.map(\.name) == ["CJK Unified Ideographs"])
    }
}

@Suite struct CorpusUseTests {
    private let pieces = ["a", "b", "x", "y", "文", "版权所有", "版", "权", "所", "有", "版权", "所有"].map { ($0, Float(0)) }

    private func report(_ lines: [String]) throws -> LintReport {
        try withTemporaryDirectory { directory in
            let path = directory + "/corpus.txt"
            try writeFile(path, Array(lines.map { $0 + "\n" }.joined().utf8))
            return try LintReport(tokenizer(pieces), corpus: [path])
        }
    }

    @Test func `rows that never come are named`() throws {
        let report = try report(["ab版权所有", "", "x权有"])
        let corpus = try #require(report.corpus)
        #expect((corpus.texts, corpus.tokens) == (2, 6))
        #expect(corpus.counts == [0, 1, 1, 1, 0, 0, 1, 0, 1, 0, 1, 0, 0])
        #expect(report.unusedRows == [4, 5, 7, 9, 11, 12])
    }

    @Test func `a row between the same neighbours is a candidate, one that goes about is not`() throws {
        #expect(
            try report(Array(repeating: "a版权所有b", count: 10)).junkCandidates == [
                CorpusUse.JunkCandidate(id: 6, count: 10, contexts: 1, diversity: 1)
            ])
        // Four pairs of neighbours, three times each: more than the square root of twelve.
        let various = ["a版权所有b", "x版权所有y", "文版权所有", "版权所有a"]
        #expect(try report(various + various + various).junkCandidates.isEmpty)
        #expect(try report(Array(repeating: "a版权所有b", count: 9)).junkCandidates.isEmpty)
    }

    @Test func `diversity is the number of equally frequent contexts`() {
        #expect(abs(effectiveNumber([5, 5, 5]) - 3) < 1e-12)
        #expect(effectiveNumber([7]) == 1)
        #expect(effectiveNumber([1, 99]) < 1.1)
    }
}
