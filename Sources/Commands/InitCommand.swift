public import ArgumentParser
import CheckpointResizing
public import Checkpoints
import FileIO
import OrderedJSON
import Provenance
import Tokenizers

/// `kuoci init`: a random model to try things out with.
struct InitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Makes a LLaMA checkpoint with random weights.",
        discussion: """
            In Hugging Face layout: config.json, generation_config.json, model.safetensors and the tokenizer's files. \
            The vocabulary's size comes from the tokenizer. Same options and seed, same bytes.

            Presets (hidden size, layers, heads, key-value heads, inner size): nano 64, 2, 4, 2, 192; \
            tiny 192, 4, 6, 3, 512; small 512, 8, 8, 4, 1376; medium 768, 14, 12, 4, 2048; llama-7b 4096, 32, 32, 32, 11008, in \
            bfloat16.

            Example: kuoci init --preset tiny --tokenizer tokenizer.model --out out/init --seed 1
            """)

    @Option(help: "The size: \(LlamaPreset.allCases.map(\.rawValue).joined(separator: ", ")) (default: tiny).")
    var preset: LlamaPreset?

    @Option(help: "A config.json of a LLaMA-family model to follow in place of a preset.")
    var config: String?

    @Option(help: "The tokenizer: a SentencePiece .model file, or a directory that holds tokenizer.model.")
    var tokenizer: String

    @Option(help: "The directory to write.")
    var out: String

    @Option(help: "Where the random numbers begin.")
    var seed: UInt64 = 0

    @Option(help: "The largest size of a weight file, such as 5GB.")
    var maxShardSize = ByteSize(bytes: ShardPlan.defaultMaximumSize)

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if preset != nil, config != nil { throw ValidationError("give --preset or --config, not both") }
    }

    func run() throws {
        try requireInputs([tokenizer] + [config].compactMap { $0 }, outside: out)
        try requireReplaceable(out, force: force)
        try requireExisting(tokenizer)
        let files = try tokenizerFiles(at: tokenizer)
        let vocabulary = try Tokenizer(contentsOf: tokenizerPath(tokenizer))
        let modelConfig = try modelConfig(for: vocabulary)
        let layout = try LlamaLayout(modelConfig)
        try writeRandomCheckpoint(
            to: out, config: modelConfig, seed: seed, tokenizerFiles: files, maximumShardSize: maxShardSize.bytes,
            manifest: manifest(layout), replacing: force, progress: progress.handler())
        print("\(layout.parameterCount) parameters, \(vocabulary.count) entries")
    }

    private func modelConfig(for vocabulary: Tokenizer) throws -> ModelConfig {
        if let config {
            var read = try ModelConfig(contentsOf: config)
            read["vocab_size"] = .integer(vocabulary.count)
            try requireRows(read, entries: vocabulary.count)
            return read
        }
        func number(_ id: PieceID?) -> Int? { id.map { Int($0.rawValue) } }
        let json = (preset ?? .tiny).config(
            vocabularySize: vocabulary.count, beginID: number(vocabulary.beginID), endID: number(vocabulary.endID),
            padID: number(vocabulary.padID))
        return ModelConfig(path: out + "/config.json", json: json)
    }

    /// Fails if a special token of the config, which knew another tokenizer, would have no row. A negative id means none.
    private func requireRows(_ config: ModelConfig, entries: Int) throws {
        for key in ["bos_token_id", "eos_token_id", "pad_token_id"] {
            let ids = config[key].map { $0.array ?? [$0] } ?? []
            if let id = ids.compactMap(\.int).first(where: { $0 >= entries }) {
                throw CheckpointError.unfit(
                    path: config.path,
                    reason: "\(key) is \(id), but the tokenizer has \(entries) entries; give the tokenizer's own id")
            }
        }
    }

    private func manifest(_ layout: LlamaLayout) -> Manifest {
        Manifest(
            options: [
                "preset": config == nil ? .string((preset ?? .tiny).rawValue) : .null,
                "config": config.map { .string($0) } ?? .null, "tokenizer": .string(tokenizer), "out": .string(out),
                "seed": .integer(seed), "max_shard_size": .integer(maxShardSize.bytes), "force": .bool(force),
            ],
            inputs: (config.map { [$0] } ?? []) + [tokenizerPath(tokenizer)],
            results: ["parameters": .integer(layout.parameterCount)])
    }
}

extension LlamaPreset: ExpressibleByArgument {}
