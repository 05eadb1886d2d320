import ArgumentParser
import Checkpoints
import FileIO
import OrderedJSON
import Provenance
import Safetensors

/// `kuoci export`: an adapter folded into its base.
struct ExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Folds a LoRA adapter into its base and writes a plain checkpoint.",
        discussion: """
            Each adapted matrix becomes W + scaling * B·A, computed in float32 and rounded once to the base's type; \
            the adapter's own embed_tokens and lm_head take the base's place. Where these part in a model that tied \
            them, tie_word_embeddings becomes false. The base's tokenizer and other files go along.

            Example: kuoci export --model out/stage1/model --adapter out/stage2/adapter --out out/export
            """)

    @Option(help: "The checkpoint that the adapter was trained on, a directory in Hugging Face layout.")
    var model: String

    @Option(help: "The PEFT adapter, a directory with adapter_config.json and adapter_model.safetensors.")
    var adapter: String

    @Option(help: "The directory to write.")
    var out: String

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func run() throws {
        try requireInputs([model, adapter], outside: out)
        try requireReplaceable(out, force: force)
        let folding = try AdapterFolding(
            base: try Checkpoint(directory: model), adapter: try Adapter(directory: adapter))
        try folding.write(
            to: out, manifest: try manifest(folding).holdingInputs(), replacing: force, progress: progress.handler())
        print(
            "\(folding.adapter.updates.count) matrices updated, \(folding.adapter.replacements.count) tensors replaced")
    }

    private func manifest(_ folding: AdapterFolding) -> Manifest {
        Manifest(
            options: [
                "model": .string(model), "adapter": .string(adapter), "out": .string(out), "force": .bool(force),
            ],
            inputs: [folding.base.config.path] + folding.base.shards.map(\.path)
                + ["\(adapter)/\(Adapter.configFile)", folding.adapter.file.path],
            results: [
                "updated": .integer(folding.adapter.updates.count),
                "replaced": .strings(folding.adapter.replacements.keys.sorted()),
                "tie_word_embeddings": .bool(folding.tiesWordEmbeddings),
            ])
    }
}
