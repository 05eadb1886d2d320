import PieceModel
import TestSupport
import Testing
import Tokenizers
import VocabularyMerging

@testable import VocabularyLint

@Suite struct BaseTests {
    private let letters: [(String, Float)] = [
        ("a", -9), ("b", -9), ("c", -9), ("d", -9), ("ab", -1), ("cd", -2), ("abcd", -3),
    ]

    @Test func `a new piece that outranks a merge breaks a base piece`() throws {
        let base = try tokenizer(letters)
        let report = try LintReport(tokenizer(letters + [("bc", 0)]), base: base)
        #expect(report.rowCount == 1)
        #expect(report.brokenBaseRows == [DeadRow(id: 7, parts: [1, 8, 4], reason: .forestalled(by: 8))])
        #expect(report.deadRows.isEmpty && report.changedBaseEntries.isEmpty && report.deadInBase.isEmpty)
        #expect(report.hasErrors)
    }

    @Test func `a new piece below all merges breaks nothing`() throws {
        let report = try LintReport(tokenizer(letters + [("bc", -10)]), base: tokenizer(letters))
        #expect(report.brokenBaseRows.isEmpty && !report.hasErrors)
    }

    @Test func `what was dead in the base is told apart`() throws {
        let base = letters + [("ac", 0), ("dcba", 0)]
        let report = try LintReport(tokenizer(base + [("bc", -10)]), base: tokenizer(base))
        #expect(report.deadInBase.map(\.id) == [9])
        #expect(report.brokenBaseRows.isEmpty && !report.hasErrors)
    }

    @Test func `entries of the base that moved or are missing are named`() throws {
        let report = try LintReport(tokenizer([("b", 0), ("a", 0)]), base: tokenizer([("a", 0), ("b", 0), ("c", 0)]))
        #expect(report.changedBaseEntries == [1, 2, 3])
        #expect(report.rowCount == 0 && report.hasErrors)
    }

    @Test func `the published merge has the numbers that sentencepiece gives`() throws {
        guard let llama = sharedData("tokenizers/llama-32k.model"),
            let chinese = sharedData("tokenizers/chinese-20k.model")
        else { return }
        let base = try SentencePieceModel(contentsOf: llama)
        let merge = try VocabularyMerge(base: base, addition: SentencePieceModel(contentsOf: chinese))
        let report = try LintReport(Tokenizer(merge.model), base: Tokenizer(base))
        #expect(report.deadRows.count == 345)
        let chainless = report.deadRows.filter { if case .noChain = $0.reason { true } else { false } }
        #expect(chainless.count == 338)
        #expect(report.brokenBaseRows.count == 194)
        let broken = Set(report.brokenBaseRows.map { report.vocabulary.text(of: $0.id) })
        #expect(broken.isSuperset(of: ["▁create", "▁people", "Controller"]))
        #expect(report.rowsWithoutIdeographs.count == 813)
        #expect(report.rowsWithoutScripts.count == 812)
        #expect(report.standards.map(\.name) == ["GB2312", "Big5 level 1"])
        #expect(report.standards.map(\.missing.count) == [1154, 1059])
    }
}
