import ArgumentParser
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Provenance
import TokenizerFormats
import Tokenizers
import UnicodeText
import VocabularyMerging

struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Extends a vocabulary with the pieces of another.",
        discussion: """
            The base's own entries keep their ids. With --policy harmless, texts without Chinese keep theirs too: new \
            pieces hold a Chinese character, score below all of the base, and can each be reached by joining two. Writes \
            tokenizer.model, tokenizer.json, tokenizer_config.json, special_tokens_map.json and kuoci.json.

            Example: kuoci merge --base llama.model --add out/zh.model --out out/merged --proof-corpus corpora/sample.en.txt
            """)

    /// Options that may stand without a value, and what it is then.
    static let defaultValues = ["--pad-token": "<pad>"]

    @Option(help: "The base model: tokenizer.model of a LLaMA-family model, or a directory that holds it.")
    var base: String

    @Option(help: "The model whose pieces are added, or a directory that holds it.")
    var add: String

    @Option(help: "The directory to write.")
    var out: String

    @OptionGroup var policy: MergePolicyOptions

    @Option(
        parsing: .upToNextOption,
        help: "Texts, one a line; those without a character of --scripts must keep their ids (append: are counted).")
    var proofCorpus: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: "Texts on whose lines tokenizer.json is compared with tokenizer.model (default: a built-in probe).")
    var checkText: [String] = []

    @Flag(help: "Replace an existing directory.")
    var force = false

    func run() throws {
        try requireInputs(inputs, outside: out)
        try requireReplaceable(out, force: force)
        let baseModel = try SentencePieceModel(contentsOf: tokenizerPath(base))
        let addition = try SentencePieceModel(contentsOf: tokenizerPath(add))
        let result = try MergeResult(baseModel, addition, policy, proofCorpus: proofCorpus)
        let tokenizer = try Tokenizer(result.model)
        let directory = try OutputDirectory(out, replacing: force)
        try TokenizerDirectory(tokenizer).write(to: directory.stagingPath)
        if let map = result.idMap { try writeFile(directory.path(of: IDMap.fileName), map.json.utf8(.line) + [0x0A]) }
        let comparison = try FormatComparison(
            HuggingFaceTokenizer(contentsOf: directory.path(of: "tokenizer.json")), tokenizer, onLinesOf: checkText)
        try Manifest(options: options, inputs: inputs, results: result.json(comparison)).write(
            to: directory.stagingPath)
        try directory.commit()
        for line in result.lines(policy) { print("\(out): \(line)") }
        print("\(out)/tokenizer.json: \(comparison.text(of: checkText)) than with tokenizer.model")
        // After append that is to be expected, and the line above says so.
        if policy.policy != .append, comparison.differing > 0 {
            printDiagnostic(
                "kuoci: \(out)/tokenizer.json: gives other ids than tokenizer.model on \(comparison.differing) of "
                    + "\(comparison.lines) lines; let all programs read the same one of the two")
        }
    }

    private var inputs: [String] {
        [tokenizerPath(base), tokenizerPath(add)] + [policy.words].compactMap { $0 } + policy.corpus + proofCorpus
            + checkText
    }

    private var options: JSONValue {
        [
            "policy": .string(policy.policy.rawValue), "size": policy.size.map { .integer($0) } ?? .null,
            "scripts": .string(policy.scripts), "words": policy.words.map { .string($0) } ?? .null,
            "cover": .string(policy.cover), "corpus": .strings(policy.corpus), "prune": .bool(policy.prune),
            "pad_token": policy.padToken.map { .string($0) } ?? .null,
            "pad_to_multiple": policy.padToMultiple.map { .integer($0) } ?? .null,
            "proof_corpus": .strings(proofCorpus), "check_text": .strings(checkText),
        ]
    }
}
