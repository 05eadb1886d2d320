import ArgumentParser
import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import Partitioning
import PieceModel
import TokenizerTraining
import UnicodeText

struct AdviseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "advise",
        abstract: "Says whether extending a model's vocabulary would pay for your text, and how to do it.",
        discussion: """
            Learns pieces on top of the model's own vocabulary from nine tenths of the text and measures on the last tenth \
            what they save: tokens, context, generation speed, training. Says what they cost, how long training takes until \
            they pay off, as far as the study of docs/results.md tells, and the commands to run. Nothing is written.

            Example: kuoci advise --model llama/config.json --tokenizer llama --text corpora/sample.zh.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Option(help: "The model's config.json, or the directory that holds it.")
    var model: String

    @Option(help: "The model's tokenizer.model, or a directory that holds it (default: the directory of --model).")
    var tokenizer: String?

    @Option(
        parsing: .upToNextOption, help: "Texts of the kind that the model shall read, one a line; plain, gzip or zstd.")
    var text: [String]

    @Option(help: "Numbers of rows to consider, separated by commas.")
    var sizes = "1000,2000,5000,10000,17953"

    @Option(help: "Writing systems of the new pieces, separated by commas: Han, Kana, Bopomofo, Hangul, Latin.")
    var scripts = "Han"

    @Option(help: "Of more text than this, lines from all over it are taken, about so much: 50MB.")
    var atMost = ByteSize(bytes: 50_000_000)

    @Option(help: "How to print: text or json.")
    var format = Format.text

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if text.isEmpty { throw ValidationError("--text: name one file at least") }
        _ = try parsedSizes()
        if try parsedScripts(scripts).isEmpty { throw ValidationError("--scripts: name one at least, such as Han") }
    }

    private func parsedSizes() throws -> [Int] {
        let sizes = try trimmedList(sizes).map { text in
            guard let size = Int(text), size > 0, size <= 1_000_000 else {
                throw ValidationError("--sizes: \"\(text)\" is no number of rows; write --sizes 2000,5000,10000")
            }
            return size
        }
        if sizes.isEmpty { throw ValidationError("--sizes: name one at least, such as 10000") }
        return sizes
    }

    func run() throws {
        let advice = try advice()
        switch format {
        case .text: print(advice.text)
        case .json: print(advice.json.text(.pretty))
        }
    }

    func advice() throws -> ExtensionAdvice {
        let config = try ModelConfig(contentsOf: configPath)
        let base = try SentencePieceModel(contentsOf: tokenizerPath(tokenizer ?? modelDirectory))
        // Dropped at the end, it is never given its name.
        let name = "kuoci-advise-\(ProcessInfo.processInfo.processIdentifier)-\(UUID().uuidString)"
        let directory = try OutputDirectory(NSTemporaryDirectory() + "/" + name, replacing: false)
        let divided = try AdvisedText(text, limit: atMost.bytes, in: directory.stagingPath)
        return try ExtensionAdvice(
            config: config, modelDirectory: modelDirectory, base: base,
            learned: learnedPieces(from: divided, base: base),
            texts: text, divided: divided, sizes: parsedSizes(), scripts: scripts)
    }

    private var configPath: String {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: model, isDirectory: &isDirectory)
        return exists && isDirectory.boolValue ? model + "/config.json" : model
    }

    private var modelDirectory: String {
        let directory = (configPath as NSString).deletingLastPathComponent
        return directory.isEmpty ? "." : directory
    }

    /// The base with more pieces than the largest size by a ninth, of which the best are taken, or with all that the text
    /// gives.
    private func learnedPieces(from divided: AdvisedText, base: SentencePieceModel) throws -> SentencePieceModel {
        var specification = Sentencepiece_TrainerSpec()
        specification.modelType = .bpe
        specification.input = [divided.learnedPath]
        specification.hardVocabLimit = false
        specification.splitByUnicodeScript = false
        var trainer = TokenizerTrainer(
            specification: specification, normalizerSpecification: Sentencepiece_NormalizerSpec())
        let largest = try parsedSizes().max() ?? 0
        // Small sizes too are chosen from pieces, not from the characters alone, which are learned first.
        trainer.continuation = TokenizerTrainer.Continuation(
            base: base, newPieces: max(largest + largest / 9, 10_000), scripts: try parsedScripts(scripts))
        trainer.progress = progress.handler()
        return try trainer.train()
    }
}
