import ArgumentParser
import CheckpointResizing
import Checkpoints
import Commands
import Foundation
import OrderedJSON
import Pretraining
import Tokenizers

struct InitCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init-compare",
        abstract: TensorVerb.initCompare.abstract,
        discussion: """
            Makes the new rows in each way that --init of kuoci resize knows, in memory, and measures the model with them, \
            untrained. Measure on a text that --init-text has not seen. No checkpoint is written.

            Example:
              kuoci init-compare --model base --tokenizer out/tokenizer --text zh=zh.heldout.txt --init-text zh.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "The checkpoint before resizing, with its tokenizer.model.")
    var model: String

    @Option(help: "The merged tokenizer: a directory that holds tokenizer.model, or the file.")
    var tokenizer: String

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Held-out texts, as FILE or NAME=FILE; they are ranked by all together.", valueName: "file"))
    var text: [String]

    @Option(
        help: """
            What to try, as for --init of kuoci resize, separated by commas; INPUT/HEAD, such as subword-mean/mean, for two \
            ways at once (default: all, neighbours if there is --init-text).
            """)
    var inits: String?

    @Option(help: "What to try as --init-norm of kuoci resize.")
    var initNorm = "keep,match"

    @OptionGroup(title: "How new rows start") var details: RowStartDetails

    @OptionGroup(title: "Measuring") var blocks: BlockArguments

    @Option(help: "text (a table) or json (an object).")
    var format = Format.text

    @OptionGroup(title: "Computation") var computing: ComputationArguments

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        _ = try candidates()
    }

    func run() throws {
        let handler = progress.handler()
        let candidates = try candidates()
        let larger = try Tokenizer(contentsOf: tokenizerPath(tokenizer))
        let resizer = try VocabularyResizer(
            Checkpoint(directory: model), to: larger, files: tokenizerFiles(at: tokenizer),
            starts: details.starts(input: .mean, head: .mean, .keep), threads: computing.threads)
        let comparison = try StartComparison(
            resizer, old: TrainingTokenizer(contentsOf: model), new: TrainingTokenizer(contentsOf: tokenizer),
            texts: namedFiles(text), documents: blocks.documents, blockSize: blocks.blockSize,
            batchSize: blocks.batchSize,
            threads: computing.threads, computation: computing.computation(), progress: handler)
        let results = try candidates.map { try comparison.measure($0, progress: handler) }
        let report = StartReport(resizer: resizer, before: comparison.before, results: results)
        switch format {
        case .text: print(report.table)
        case .json: print(report.json.text(.pretty))
        }
    }

    /// The ways to try, in the order in which they are asked for.
    private func candidates() throws -> [RowStarts] {
        let norms = try fields(initNorm).map { name in
            guard let norm = RowNorm(rawValue: name) else {
                throw ValidationError("--init-norm \(name): must be keep, match or keep,match")
            }
            return norm
        }
        let ways = try inits.map { try fields($0).map(way) } ?? allWays
        let starts = ways.flatMap { way in norms.map { details.starts(input: way.input, head: way.head, $0) } }
        guard !starts.isEmpty else { throw ValidationError("--inits and --init-norm must name something to try") }
        if details.initText.isEmpty, ways.contains(where: { $0.input == .neighbours || $0.head == .neighbours }) {
            throw ValidationError("--inits neighbours needs --init-text FILES")
        }
        return starts
    }

    private var allWays: [Way] {
        RowInitialization.allCases.filter { $0 != .neighbours || !details.initText.isEmpty }.map { ($0, $0) }
    }

    private typealias Way = (input: RowInitialization, head: RowInitialization)

    private func way(_ text: String) throws -> Way {
        let names = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard names.count <= 2, let input = RowInitialization(rawValue: names[0]),
            let head = RowInitialization(rawValue: names[names.count - 1])
        else {
            let known = RowInitialization.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("--inits \(text): write one of \(known), or two of them as INPUT/HEAD")
        }
        return (input, head)
    }
}

private func fields(_ list: String) -> [String] {
    list.split(separator: ",").map(String.init)
}

/// Texts by the names they are given, or by those of their files.
private func namedFiles(_ arguments: [String]) throws -> [NamedText] {
    try namedTexts(
        arguments.map { $0.contains("=") ? $0 : "\(($0 as NSString).lastPathComponent)=\($0)" }, option: "--text")
}
