import FileIO
import TestSupport
import Testing
import Tokenizers
import UnicodeText

@testable import VocabularyMerging

struct TextComparisonTests {
    @Test func `texts without the scripts are compared and the first change is named`() throws {
        let base = bpeModel([("a", 0), ("b", 0), ("c", 0), ("ab", -1), ("中", 0)])
        let merged = try VocabularyMerge(base: base, addition: bpeModel([("bc", 0), ("中a", 0)])).model
        try withTemporaryDirectory { directory in
            let paths = [directory + "/one.txt", directory + "/two.txt"]
            try writeFile(paths[0], "ab\n\n中a\nabc中\n".utf8)
            try writeFile(paths[1], "a b\nabc\nab\nabc".utf8)
            let comparison = try TextComparison(
                base: Tokenizer(base), merged: Tokenizer(merged), without: ScriptSet([.han]), onLinesOf: paths)
            #expect((comparison.texts, comparison.withoutScripts, comparison.changed) == (7, 5, 2))
            #expect(comparison.firstChange == .init(path: paths[1], line: 2))
            #expect(throws: MergeError.changesText(path: paths[1], line: 2, changed: 2, texts: 5)) {
                try comparison.check()
            }
            let same = try TextComparison(
                base: Tokenizer(base), merged: Tokenizer(base), without: ScriptSet([.han]), onLinesOf: paths)
            #expect(same.changed == 0)
            try same.check()
        }
    }

    @Test(arguments: ["", "\n\n", "中\n中a\n"])
    func `texts that all hold the scripts, or none at all, prove nothing`(text: String) throws {
        let base = bpeModel([("a", 0), ("中", 0)])
        try withTemporaryDirectory { directory in
            let path = directory + "/text.txt"
            try writeFile(path, text.utf8)
            let comparison = try TextComparison(
                base: Tokenizer(base), merged: Tokenizer(base), without: ScriptSet([.han]), onLinesOf: [path])
            #expect(throws: MergeError.nothingToProve(paths: [path])) { try comparison.check() }
        }
    }

    @Test func `lines beyond one batch keep their numbers`() throws {
        let base = bpeModel([("a", 0), ("b", 0)])
        let merged = try VocabularyMerge(base: base, addition: bpeModel([("bb", 0)])).model
        try withTemporaryDirectory { directory in
            let path = directory + "/long.txt"
            let lines = 300_000
            try writeFile(path, (String(repeating: "ab\n", count: lines) + "abb\n").utf8)
            let comparison = try TextComparison(
                base: Tokenizer(base), merged: Tokenizer(merged), without: ScriptSet([.han]), onLinesOf: [path])
            #expect(comparison.texts == lines + 1)
            #expect(comparison.firstChange == .init(path: path, line: lines + 1))
        }
    }
}
