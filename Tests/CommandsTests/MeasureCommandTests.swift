import Checkpoints
import FileIO
import OrderedJSON
import PieceModel
import TestSupport
import Testing
import TokenizerMetrics
import Tokenizers
import VocabularyMerging

@testable import Commands

@Suite struct MeasureCommandTests {
    private let text = "中文中文\n中文字典中\n"

    /// Runs `body` in a directory with base.model, add.model and text.txt.
    private func withFiles<R>(_ body: (String) throws -> R) throws -> R {
        try withTemporaryDirectory { directory in
            try writeModel(["中", "文"], to: directory + "/base.model")
            try writeModel(["文", "中文", "字", "字典"], to: directory + "/add.model")
            try writeFile(directory + "/text.txt", Array(text.utf8))
            return try body(directory)
        }
    }

    @Test func `each size of a sweep is the merge with its first rows`() throws {
        try withFiles { directory in
            let paths = (base: directory + "/base.model", add: directory + "/add.model")
            let config = ModelConfig(
                path: "config.json",
                json: LlamaPreset.nano.config(vocabularySize: 10, beginID: nil, endID: nil, padID: nil))
            let sweep = try VocabularySweep(
                base: paths.base, addition: paths.add, sizes: [2, 1, 9, 2], texts: [directory + "/text.txt"],
                cost: VocabularyCost(config))
            #expect(sweep.sizes == [0, 1, 2, 3])
            #expect((sweep.available, sweep.unreachable) == (3, [9]))
            #expect(sweep.isAppended && sweep.table.contains("\(paths.base), appended with score 0\n"))
            let base = try SentencePieceModel(contentsOf: paths.base)
            let addition = try SentencePieceModel(contentsOf: paths.add)
            let tokens = try (0...3).map { rows in
                let merge = try VocabularyMerge(base: base, addition: addition, size: 259 + rows)
                let tokenizer = try Tokenizer(merge.model)
                return text.split(separator: "\n").reduce(0) { $0 + tokenizer.encode(String($1)).count }
            }
            #expect(tokens == [13, 10, 8, 5])
            let sizes = try #require(sweep.json["texts"]?.array?.first?["sizes"]?.array)
            #expect(sizes.map { $0["tokens"]?.int } == tokens)
            #expect(sizes.map { $0["entries"]?.int } == [259, 260, 261, 262])
            #expect(sizes.map { $0["added_parameters"]?.int } == [0, 128, 256, 384])
            #expect(sizes.map { $0["optimizer_bytes"]?.int } == [0, 1024, 2048, 3072])
            #expect(sizes.map { $0["tokens_per_character"]?.double } == tokens.map { Double($0) / 9 })
        }
    }

    @Test func `rows of a merge are taken with their scores`() throws {
        try withTemporaryDirectory { directory in
            let (base, merged, file) = (directory + "/base.model", directory + "/merged.model", directory + "/text.txt")
            try writeModel(["中", "文", "字", "典"], to: base)
            // 文字 scores above 中文: with score 0 both, the leftmost would come first and 文字典 never.
            try writeModel(["中", "文", "字", "典", "文字", "中文", "文字典"], to: merged)
            try writeFile(file, Array("中文字典\n".utf8))
            let sweep = try VocabularySweep(base: base, addition: merged, sizes: [1, 2, 3], texts: [file], cost: nil)
            #expect(sweep.available == 3 && !sweep.isAppended)
            #expect(sweep.texts.first?.measure.counts.map(\.tokens) == [4, 3, 3, 2])
        }
    }

    @Test func `what pads a merge is no row`() throws {
        try withFiles { directory in
            let (base, merged) = (directory + "/base.model", directory + "/merged.model")
            try writeModel(["中", "文", "中文"], to: merged)
            let padded = try SentencePieceModel(contentsOf: merged).addingPadToken("<pad>").paddedToMultiple(of: 64)
            try writeFile(merged, padded.serialized())
            let sweep = try VocabularySweep(
                base: base, addition: merged, sizes: [1, 20], texts: [directory + "/text.txt"], cost: nil)
            #expect((sweep.available, sweep.sizes) == (1, [0, 1]))
            #expect(sweep.texts.first?.measure.counts.map(\.tokens) == [13, 10])
        }
    }

    @Test func `an empty text has no verdict`() throws {
        try withFiles { directory in
            try writeFile(directory + "/empty.txt", [])
            let sweep = try VocabularySweep(
                base: directory + "/base.model", addition: directory + "/add.model", sizes: [1],
                texts: [directory + "/empty.txt"], cost: nil)
            let sizes = try #require(sweep.json["texts"]?.array?.first?["sizes"]?.array)
            #expect(sizes.map { $0["verdict"] } == [.null, .null])
            #expect(sweep.table.hasSuffix("\nthe text is empty: no answer"))
        }
    }

    @Test func `one tokenizer on a text that is not Chinese gets a line that says why there is no answer`() throws {
        guard let program else { return }
        try withFiles { directory in
            try writeFile(directory + "/plain.txt", Array("plain text\n".utf8))
            let ending = try run(
                program, ["measure", "--tokenizer", directory + "/base.model", "--text", directory + "/plain.txt"])
            #expect(ending.code == 0)
            #expect(ending.output.contains("\nis extending it worth it? no answer: one tokenizer alone is judged "))
        }
    }

    @Test func `lists may have spaces, and an empty one is a matter of usage`() throws {
        guard let program else { return }
        try withFiles { directory in
            let sweep = [
                "measure", "--base", directory + "/base.model", "--add", directory + "/add.model", "--text",
                directory + "/text.txt", "--sweep",
            ]
            let spaced = try run(program, sweep + ["1, 2"])
            #expect(spaced.code == 0, "\(spaced.diagnostics)")
            #expect(try run(program, sweep + [""]).code == 64)
        }
    }

    @Test func `two files of one language are a matter of usage`() throws {
        guard let program else { return }
        try withFiles { directory in
            let file = directory + "/text.txt"
            let ending = try run(
                program,
                ["measure", "--tokenizer", directory + "/base.model", "--parallel", "en=" + file, "en=" + file])
            #expect(ending.code == 64 && ending.diagnostics.contains("\"en\" names two files"))
        }
    }

    @Test func `JSON is the list of texts, or an object with --parallel and --sweep`() throws {
        guard let program else { return }
        try withFiles { directory in
            let (model, file) = (directory + "/base.model", directory + "/text.txt")
            let plain = ["measure", "--tokenizer", model, "--text", file, "--format", "json"]
            let list = try JSONValue(parsing: Array(try run(program, plain).output.utf8))
            #expect(list.array?.count == 1)
            let first = try #require(list.array?.first?["tokenizers"]?.array?.first)
            // 字 and 典 are three bytes each, the first of them the same.
            #expect(first["tokens"] == 13 && first["fallback_tokens"] == 6)
            #expect(first["used_entries"] == 7 && first["tokens_per_word"] == .null)
            let more = ["--parallel", "a=" + file, "b=" + file]
            let object = try JSONValue(parsing: Array(try run(program, plain + more).output.utf8))
            #expect(object["texts"] == list)
            #expect(object["sweep"] == .null)
            #expect(object["parallel"]?["tokenizers"]?.array?.first?["tokens"] == [13, 13])
        }
    }
}
