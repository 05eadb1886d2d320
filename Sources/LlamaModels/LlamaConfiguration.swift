public import Checkpoints
internal import OrderedJSON

/// The shape of a LLaMA-family model, read from its config.json.
public struct LlamaConfiguration: Sendable, Equatable {
    /// V: rows of the embedding and of the LM head.
    public internal(set) var vocabularySize: Int
    /// D: `hidden_size`.
    public let width: Int
    /// `intermediate_size`.
    public let innerWidth: Int
    public let layerCount: Int
    /// H: query heads.
    public let headCount: Int
    /// G: heads of keys and values; H / G query heads share one.
    public let keyValueHeadCount: Int
    /// W: `head_dim`.
    public let headWidth: Int
    public let normEpsilon: Double
    /// `rope_theta`.
    public let rotaryBase: Double
    public let tiesWordEmbeddings: Bool
    public let hasAttentionBias: Bool
    public let hasInnerBias: Bool
    /// Tokens back that a token may attend to, where the model limits them.
    public let slidingWindow: Int?
    /// `max_position_embeddings`: positions that the model was made for, where it says so.
    public let positionLimit: Int?

    /// - Throws: `CheckpointError.missingKey`, or `LlamaModelError.unsupported` for a model that would be computed
    ///   wrongly.
    public init(_ config: ModelConfig) throws {
        vocabularySize = try config.vocabularySize
        width = try config.positiveInt("hidden_size")
        innerWidth = try config.positiveInt("intermediate_size")
        layerCount = try config.positiveInt("num_hidden_layers")
        headCount = try config.positiveInt("num_attention_heads")
        keyValueHeadCount = try config.optionalInt("num_key_value_heads") ?? headCount
        headWidth = try config.optionalInt("head_dim") ?? width / headCount
        normEpsilon = try config.double("rms_norm_eps", default: 1e-6)
        rotaryBase = try config.rotaryBase()
        tiesWordEmbeddings = try config.tiesWordEmbeddings
        hasAttentionBias = try config.bool("attention_bias", default: false)
        hasInnerBias = try config.bool("mlp_bias", default: false)
        slidingWindow = try config.optionalInt("sliding_window")
        positionLimit = try config.optionalInt("max_position_embeddings")
        try checkSizes(config)
        try config.refuseOtherFamilies()
    }

    private func checkSizes(_ config: ModelConfig) throws {
        func require(_ condition: Bool, _ key: String, _ value: some Any, _ expected: String) throws {
            guard !condition else { return }
            throw LlamaModelError.unsupported(path: config.path, key: key, value: "\(value)", expected: expected)
        }
        let largest = 1 << 24
        for (key, value) in [
            ("vocab_size", vocabularySize), ("hidden_size", width), ("intermediate_size", innerWidth),
            ("num_hidden_layers", layerCount), ("num_attention_heads", headCount), ("head_dim", headWidth),
        ] {
            try require(value <= largest, key, value, "at most \(largest)")
        }
        if config["head_dim"]?.int == nil {
            try require(
                width % headCount == 0, "hidden_size", width, "a multiple of num_attention_heads (\(headCount))")
        }
        try require(headWidth > 0 && headWidth % 2 == 0, "head_dim", headWidth, "even")
        try require(
            headCount % keyValueHeadCount == 0, "num_key_value_heads", keyValueHeadCount,
            "a divisor of num_attention_heads (\(headCount))")
        try require(normEpsilon >= 0 && normEpsilon.isFinite, "rms_norm_eps", normEpsilon, "a small number")
        try require(rotaryBase > 0 && rotaryBase.isFinite, "rope_theta", rotaryBase, "a positive number")
    }
}

extension ModelConfig {
    fileprivate func optionalInt(_ key: String) throws -> Int? {
        guard let value = self[key], !value.isNull else { return nil }
        return try positiveInt(key)
    }

    /// `rope_theta`, at the top as transformers 4 wrote it or in `rope_parameters` as transformers 5 does.
    fileprivate func rotaryBase() throws -> Double {
        for key in ["rope_parameters", "rope_scaling"] {
            guard let parameters = self[key], !parameters.isNull else { continue }
            let type = parameters["rope_type"]?.string ?? parameters["type"]?.string
            guard type == nil || type == "default" else {
                throw LlamaModelError.unsupported(
                    path: path, key: key, value: "of type \(type ?? "")", expected: "of type default, or absent")
            }
        }
        if let base = self["rope_parameters"]?["rope_theta"]?.double { return base }
        return try double("rope_theta", default: 10000)
    }

    fileprivate func refuseOtherFamilies() throws {
        let families = ["llama", "mistral"]
        if let family = self["model_type"]?.string, !families.contains(family) {
            throw LlamaModelError.unsupported(
                path: path, key: "model_type", value: family, expected: families.joined(separator: " or "))
        }
        if let activation = self["hidden_act"]?.string, activation != "silu" {
            throw LlamaModelError.unsupported(path: path, key: "hidden_act", value: activation, expected: "silu")
        }
        let share = try double("partial_rotary_factor", default: 1)
        if share != 1 {
            throw LlamaModelError.unsupported(
                path: path, key: "partial_rotary_factor", value: "\(share)", expected: "1")
        }
    }
}
