import Checkpoints
import Foundation
import GGUF
import OrderedJSON

/// What a config.json of the LLaMA family says, as llama.cpp's keys.
struct LlamaEntries {
    let config: ModelConfig
    let sizes: LlamaSizes
    private let epsilon: Double
    private let contextLength: Int
    private let rotary: RotaryScale

    /// - Throws: `CheckpointError` or `ConversionError` for what llama.cpp's LLaMA cannot compute.
    init(_ config: ModelConfig) throws {
        if let activation = config["hidden_act"]?.string, activation != "silu" {
            throw ConversionError.unsupported(path: config.path, what: "hidden_act \"\(activation)\"")
        }
        self.config = config
        sizes = try LlamaSizes(config)
        // Where a key is absent, the default of transformers' LlamaConfig.
        epsilon = try config.double("rms_norm_eps", default: 1e-6)
        let hasContext = config["max_position_embeddings"].map { !$0.isNull } ?? false
        contextLength = hasContext ? try config.positiveInt("max_position_embeddings") : 2048
        rotary = try RotaryScale(config)
        guard contextLength <= UInt32.max else {
            throw ConversionError.missingKey(
                path: config.path, key: "max_position_embeddings", expected: "below 2^32")
        }
        try requirePositive(epsilon, config, "rms_norm_eps")
    }

    /// What config.json says and the file does not.
    var leftOut: [String] {
        guard let window = config["sliding_window"]?.int else { return [] }
        return ["sliding_window \(window) is left out: llama.cpp attends to all of a text here"]
    }

    func add(to entries: inout GGUFEntries, name: String, type: GGUFModelType) {
        entries.add("general.architecture", "llama")
        entries.add("general.type", "model")
        entries.add("general.name", name)
        entries.add("llama.block_count", UInt32(sizes.layers))
        entries.add("llama.context_length", UInt32(contextLength))
        entries.add("llama.embedding_length", UInt32(sizes.hidden))
        entries.add("llama.feed_forward_length", UInt32(sizes.inner))
        entries.add("llama.attention.head_count", UInt32(sizes.heads))
        entries.add("llama.attention.head_count_kv", UInt32(sizes.keyHeads))
        if let factor = rotary.linearFactor {
            entries.add("llama.rope.scaling.type", "linear")
            entries.add("llama.rope.scaling.factor", Float(factor))
        }
        entries.add("llama.rope.freq_base", Float(rotary.base))
        entries.add("llama.attention.layer_norm_rms_epsilon", Float(epsilon))
        entries.add("llama.attention.key_length", UInt32(sizes.headWidth))
        entries.add("llama.attention.value_length", UInt32(sizes.headWidth))
        entries.add("general.file_type", type.fileType)
        entries.add("llama.vocab_size", UInt32(sizes.vocabulary))
        entries.add("llama.rope.dimension_count", UInt32(sizes.headWidth))
        entries.add("general.quantization_version", UInt32(2))
    }
}

/// - Throws: `ConversionError` unless the number is above 0 in the 32 bits that it is to have.
private func requirePositive(_ number: Double, _ config: ModelConfig, _ key: String) throws {
    guard Float(number) > 0, Float(number).isFinite else {
        throw ConversionError.missingKey(path: config.path, key: key, expected: "a number above 0")
    }
}

/// The angles of rotary positions: their base, and a factor that all positions are divided by.
struct RotaryScale {
    let base: Double
    let linearFactor: Double?

    /// `rope_theta` and `rope_scaling` as transformers 4 wrote them, or `rope_parameters` as transformers 5 does.
    init(_ config: ModelConfig) throws {
        try Self.requireWhole(config["partial_rotary_factor"], config, "partial_rotary_factor")
        var factor: Double?
        for key in ["rope_parameters", "rope_scaling"] {
            guard let parameters = config[key], !parameters.isNull else { continue }
            try Self.requireWhole(parameters["partial_rotary_factor"], config, "\(key).partial_rotary_factor")
            let type = parameters["rope_type"]?.string ?? parameters["type"]?.string ?? "default"
            guard type == "default" || type == "linear" else {
                throw ConversionError.unsupported(path: config.path, what: "\(key) of type \(type)")
            }
            if type == "linear" { factor = parameters["factor"]?.double }
            if type == "linear", (factor ?? 0) <= 0 {
                throw ConversionError.missingKey(path: config.path, key: "\(key).factor", expected: "above 0")
            }
        }
        linearFactor = factor
        base = try config["rope_parameters"]?["rope_theta"]?.double ?? config.double("rope_theta", default: 10_000)
        try requirePositive(base, config, "rope_theta")
    }

    /// Heads are turned whole there.
    private static func requireWhole(_ share: JSONValue?, _ config: ModelConfig, _ key: String) throws {
        guard let share, !share.isNull, share.double != 1 else { return }
        throw ConversionError.unsupported(path: config.path, what: "\(key) \(share.text(.line))")
    }
}
