import ArgumentParser
import CheckpointResizing
import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import Provenance
import Safetensors
import Tokenizers
import VocabularyMerging

/// `kuoci resize`: the rows of another tokenizer.
struct ResizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resize",
        abstract: "Gives a checkpoint rows for the new entries of a merged tokenizer.",
        discussion: """
            Appends rows to model.embed_tokens.weight and lm_head.weight (one of them if tied), or moves them as an id \
            map says. The old rows and all other tensors keep their bits, which is checked before the result gets its \
            name; config.json changes in vocab_size and moved ids only. The tokenizer's files take the place of the \
            old ones. `kuoci verify` checks the same again, at any time.

            Example: kuoci resize --model base --tokenizer out/tokenizer --out out/resized --init subword-mean
            """)

    @Option(help: "The checkpoint, a directory in Hugging Face layout.")
    var model: String

    @Option(help: "The merged tokenizer: a directory that holds tokenizer.model, or the file.")
    var tokenizer: String

    @Option(help: "The directory to write.")
    var out: String

    @OptionGroup(title: "How new rows start") var starts: RowStartOptions

    @OptionGroup(title: "What is written") var layout: ResizeLayoutOptions

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try requireInputs(inputs, outside: out)
        try requireReplaceable(out, force: force)
        let files = try tokenizerFiles(at: tokenizer)
        let larger = try Tokenizer(contentsOf: tokenizerPath(tokenizer))
        let checkpoint = try Checkpoint(directory: model)
        var resizer = try VocabularyResizer(
            checkpoint, to: larger, files: files, idMap: try layout.map(), idMapPath: layout.idMap ?? "",
            multiple: layout.padToMultiple, starts: starts.starts)
        resizer.maximumShardSize = layout.maxShardSize?.bytes
        if layout.dryRun { return print(try dryRunText(resizer)) }
        let written = try resizer.write(
            to: out, tokenizerFiles: files, manifest: try manifest(resizer).holdingInputs(), linking: layout.link,
            replacing: force,
            progress: progress.handler())
        print(
            "\(resizer.rows.oldRows) -> \(resizer.rows.newRows) rows, \(resizer.matrixNames.joined(separator: " and "))"
        )
        for line in rowLines(resizer.rows) { print(line) }
        if layout.link { print(linkLine(written.linkedFiles, of: checkpoint)) }
        print("\(byteText(written.bytes)) of weights written to \(out)")
    }

    private var inputs: [String] { [model, tokenizer] + (layout.idMap.map { [$0] } ?? []) + starts.starts.texts }

    private func dryRunText(_ resizer: VocabularyResizer) throws -> String {
        let estimate = try resizer.estimate()
        let needed = estimate.neededBytes(linking: layout.link)
        let free = freeBytes(at: nearestDirectory(out)).map { ", \(byteText($0)) free" } ?? ""
        return
            ([estimateTable(estimate)] + rowLines(resizer.rows) + [
                "\(estimate.rewrittenFiles) weight files written anew (\(byteText(estimate.rewrittenBytes))), "
                    + "\(estimate.unchangedFiles) \(layout.link ? "linked" : "copied") (\(byteText(estimate.unchangedBytes)))",
                "\(out): \(byteText(needed)) of disk needed\(free)",
            ]).joined(separator: "\n")
    }

    private func manifest(_ resizer: VocabularyResizer) throws -> Manifest {
        var options: JSONValue = [
            "model": .string(model), "tokenizer": .string(tokenizer), "out": .string(out),
        ]
        resizer.starts.addMembers(to: &options)
        layout.addMembers(to: &options)
        options["force"] = .bool(force)
        return Manifest(
            options: options,
            inputs: [resizer.checkpoint.config.path] + resizer.checkpoint.shards.map(\.path)
                + [tokenizerPath(tokenizer)] + (layout.idMap.map { [$0] } ?? [])
                + resizer.starts.texts,
            results: [
                "old_entries": .integer(resizer.rows.oldRows), "new_entries": .integer(resizer.rows.newRows),
                "tokenizer_entries": .integer(resizer.rows.entries),
                "first_new_row": try resizer.firstNewRow().map { .integer($0) } ?? .null,
                "new_rows": .integer(resizer.rows.freshRows), "dropped_rows": .integer(resizer.rows.droppedRows),
                "resized": .strings(resizer.matrixNames),
            ])
    }
}

/// Fails before any work is done if the output is there already.
func refuseExisting(_ path: String) throws {
    if access(path, F_OK) == 0 { throw FileError.alreadyExists(path: path) }
}

/// Fails before any work is done if the output directory is there already, or, with `--force`, is none of ours: whatever
/// else it holds would be lost.
func requireReplaceable(_ directory: String, force: Bool) throws {
    if !force { try refuseExisting(directory) }
    try requireMark(Manifest.fileName, in: directory)
}
