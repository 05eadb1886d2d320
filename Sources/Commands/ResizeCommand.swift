public import ArgumentParser
import CheckpointResizing
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

    @OptionGroup(title: "How new rows start") var starts: RowStartOptions

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        if !force { try refuseExisting(out) }
        let files = try tokenizerFiles(at: tokenizer)
        let larger = try Tokenizer(contentsOf: tokenizerPath(tokenizer))
        let checkpoint = try Checkpoint(directory: model)
        let resizer = try VocabularyResizer(checkpoint, to: larger, starts: starts.starts)
        try resizer.write(
            to: out, tokenizerFiles: files, manifest: try manifest(resizer).holdingInputs(), replacing: force,
            progress: progress.handler())
        print("\(resizer.oldEntries) -> \(resizer.entries) entries, \(resizer.matrixNames.joined(separator: " and "))")
    }

    private func manifest(_ resizer: VocabularyResizer) -> Manifest {
        var options: JSONValue = [
            "model": .string(model), "tokenizer": .string(tokenizer), "out": .string(out),
        ]
        resizer.starts.addMembers(to: &options)
        options["force"] = .bool(force)
        return Manifest(
            options: options,
            inputs: [resizer.checkpoint.config.path] + resizer.checkpoint.shards.map(\.path)
                + [tokenizerPath(tokenizer)] + resizer.starts.texts,
            results: [
                "old_entries": .integer(resizer.oldEntries), "new_entries": .integer(resizer.entries),
                "resized": .strings(resizer.matrixNames),
            ])
    }
}

/// Fails before any work is done if the output is there already.
func refuseExisting(_ path: String) throws {
    if access(path, F_OK) == 0 { throw FileError.alreadyExists(path: path) }
}
