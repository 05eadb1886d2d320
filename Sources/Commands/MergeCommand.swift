import ArgumentParser
import FileIO
import OrderedJSON
import PieceModel
import Provenance
import TokenizerFormats
import Tokenizers
import VocabularyMerging

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Appends the pieces of one vocabulary to another.",
        discussion: """
            The published recipe: each piece that the base lacks is appended in file order with score 0; the base's own \
            entries keep their ids. Writes tokenizer.model, tokenizer.json, tokenizer_config.json, \
            special_tokens_map.json and kuoci.json.

            Example: kuoci merge --base llama.model --add out/zh.model --out out/merged --size 49953
            """)

    @Option(help: "The base model: tokenizer.model of a LLaMA-family model, or a directory that holds it.")
    var base: String

    @Option(help: "The model whose pieces are added.")
    var add: String

    @Option(help: "The directory to write.")
    var out: String

    @Option(help: "Stop at this many entries (default: add all).")
    var size: Int?

    @Option(
        parsing: .upToNextOption,
        help: "Texts on whose lines tokenizer.json is compared with tokenizer.model (default: a built-in probe).")
    var checkText: [String] = []

    @Flag(help: "Replace an existing directory.")
    var force = false

    func run() throws {
        let (basePath, addPath) = (tokenizerPath(base), tokenizerPath(add))
        let merge = try VocabularyMerge(
            base: SentencePieceModel(contentsOf: basePath), addition: SentencePieceModel(contentsOf: addPath),
            size: size)
        let tokenizer = try Tokenizer(merge.model)
        let directory = try OutputDirectory(out, replacing: force)
        try TokenizerDirectory(tokenizer).write(to: directory.stagingPath)
        let comparison = try FormatComparison(
            HuggingFaceTokenizer(contentsOf: directory.stagingPath + "/tokenizer.json"), tokenizer,
            onLinesOf: checkText)
        let count = merge.model.pieces.count
        try Manifest(
            options: ["policy": "append", "size": size.map { .integer($0) } ?? .null], inputs: [basePath, addPath],
            results: [
                "entries": .integer(count), "added": .integer(merge.added), "shared": .integer(merge.shared),
                "dropped": .integer(merge.dropped), "lines": .integer(comparison.lines),
                "differing_lines": .integer(comparison.differing),
            ]
        ).write(to: directory.stagingPath)
        try directory.commit()
        let left = merge.dropped > 0 ? ", \(merge.dropped) left out" : ""
        print(
            "\(out): \(count) entries: \(count - merge.added) of the base, \(merge.added) added (\(merge.shared) shared\(left))"
        )
        // Merges of equal score cannot be expressed there: say what that costs.
        print("\(out)/tokenizer.json: \(comparison.text(of: checkText)) than with tokenizer.model")
    }
}
