public import ArgumentParser
public import CheckpointResizing
import Checkpoints
import FileIO
import Glibc
import OrderedJSON
import Provenance
import Safetensors
import Tokenizers

/// `kuoci resize`: rows for the new entries of a larger tokenizer.
struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize",
        abstract: "Gives a checkpoint rows for the new entries of a merged tokenizer.",
        discussion: """
            Appends rows to model.embed_tokens.weight and lm_head.weight (one of them if tied). The old rows and all \
            other tensors keep their bits, which is checked before the result gets its name; config.json changes in \
            vocab_size only. The tokenizer's files take the place of the old ones.

            Example: kuoci resize --model base --tokenizer out/tokenizer --out out/resized --init subword-mean
            """)

    @Option(help: "The checkpoint, a directory in Hugging Face layout.")
    var model: String

    @Option(help: "The merged tokenizer: a directory that holds tokenizer.model, or the file.")
    var tokenizer: String

    @Option(help: "The directory to write.")
    var out: String

    @Option(
        name: .customLong("init"),
        help: """
            How new rows start: mean (of all old rows), subword-mean (of the rows of the pieces that the model's own \
            tokenizer makes of the new piece) or normal (each column drawn with the old rows' mean and deviation).
            """)
    var initialization = RowInitialization.subwordMean

    @Option(help: "Where the random numbers of --init normal begin.")
    var seed: UInt64 = 0

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        if !force { try refuseExisting(out) }
        let files = try tokenizerFiles(at: tokenizer)
        let larger = try Tokenizer(contentsOf: tokenizerPath(tokenizer))
        let checkpoint = try Checkpoint(directory: model)
        let resizer = try VocabularyResizer(checkpoint, to: larger, initialization: initialization, seed: seed)
        try resizer.write(
            to: out, tokenizerFiles: files, manifest: try manifest(resizer).holdingInputs(), replacing: force,
            progress: progress.handler())
        print("\(resizer.oldEntries) -> \(resizer.entries) entries, \(resizer.matrixNames.joined(separator: " and "))")
    }

    private func manifest(_ resizer: VocabularyResizer) -> Manifest {
        Manifest(
            options: [
                "model": .string(model), "tokenizer": .string(tokenizer), "out": .string(out),
                "init": .string(initialization.rawValue), "seed": .integer(seed), "force": .bool(force),
            ],
            inputs: [resizer.checkpoint.config.path] + resizer.checkpoint.shards.map(\.path)
                + [tokenizerPath(tokenizer)],
            results: [
                "old_entries": .integer(resizer.oldEntries), "new_entries": .integer(resizer.entries),
                "resized": .strings(resizer.matrixNames),
            ])
    }
}

extension RowInitialization: ExpressibleByArgument {}

/// Fails before any work is done if the output is there already.
func refuseExisting(_ path: String) throws {
    if access(path, F_OK) == 0 { throw FileError.alreadyExists(path: path) }
}
