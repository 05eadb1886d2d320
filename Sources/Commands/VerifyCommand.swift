import ArgumentParser
import CheckpointResizing
import Checkpoints
import FileIO
import OrderedJSON
import VocabularyMerging

/// `kuoci verify`: whether two checkpoints hold the same.
struct VerifyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Compares two checkpoints by what their tensors hold.",
        discussion: """
            However the two are cut into files. Says which tensors are the same, changed (how many rows, the first of \
            them, the largest difference), added and missing, and which keys of config.json differ. With \
            --first-rows or --id-map it proves a resize: of the input embedding and the LM head those rows must be the \
            same and no others are looked at, and of config.json vocab_size and moved ids must be what they should. \
            Exit code 0: all as expected; 2: something differs.

            Example: kuoci verify base out/resized --first-rows 32000
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text, json
    }

    @Argument(help: "The checkpoint that was, a directory in Hugging Face layout.")
    var old: String

    @Argument(help: "The checkpoint that is.")
    var new: String

    @Option(help: "Rows at the beginning of both matrices that must be the same; the others are new.")
    var firstRows: Int?

    @Option(help: "Where each old row must be (id-map.json of `kuoci merge --prune`).")
    var idMap: String?

    @Option(help: "How to print: text or json.")
    var format = Format.text

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if firstRows != nil, idMap != nil { throw ValidationError("give --first-rows or --id-map, not both") }
        if let firstRows, firstRows < 1 { throw ValidationError("--first-rows must be at least 1") }
    }

    func run() throws {
        let (left, right) = (try Checkpoint(directory: old), try Checkpoint(directory: new))
        let expectation = try expectation(of: left)
        let comparison = try CheckpointComparison(
            left, right, keptRows: expectation?.keptRows, config: try expectation?.config(from: left, to: right),
            progress: progress.handler())
        switch format {
        case .text: print(comparisonText(comparison))
        case .json: print(comparisonJSON(comparison).text(.pretty))
        }
        if !comparison.isSame { throw ExitCode(2) }
    }

    private func expectation(of left: Checkpoint) throws -> ResizeExpectation? {
        if let firstRows { return try ResizeExpectation(firstRows: firstRows, of: left) }
        return try idMap.map { try ResizeExpectation(try IDMap(contentsOf: $0), of: left) }
    }
}
