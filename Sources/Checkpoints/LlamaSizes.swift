import OrderedJSON

/// The numbers of a config, checked against each other.
package struct LlamaSizes: Sendable {
    package let vocabulary: Int
    package let hidden: Int
    package let inner: Int
    package let layers: Int
    package let heads: Int
    /// Heads of keys and values; queries share them in groups.
    package let keyHeads: Int
    /// Numbers in one head.
    package let headWidth: Int
    package var queryWidth: Int { heads * headWidth }
    package var keyWidth: Int { keyHeads * headWidth }
    package let hasAttentionBias: Bool
    package let hasInnerBias: Bool

    /// - Throws: `CheckpointError` for another family, or sizes that do not fit together.
    package init(_ config: ModelConfig) throws {
        func require(_ condition: Bool, _ key: String, _ expected: String) throws {
            if !condition { throw CheckpointError.missingKey(path: config.path, key: key, expected: expected) }
        }
        try config.requireLlamaFamily()
        vocabulary = try config.positiveInt("vocab_size")
        hidden = try config.positiveInt("hidden_size")
        inner = try config.positiveInt("intermediate_size")
        layers = try config.positiveInt("num_hidden_layers")
        heads = try config.positiveInt("num_attention_heads")
        let grouped = config["num_key_value_heads"].map { !$0.isNull } ?? false
        keyHeads = grouped ? try config.positiveInt("num_key_value_heads") : heads
        // Far above every model there is, and so that the numbers of all tensors together fit an Int.
        let widest = 1 << 24
        for (key, value) in [
            ("hidden_size", hidden), ("intermediate_size", inner), ("vocab_size", vocabulary),
            ("num_attention_heads", heads),
        ] { try require(value <= widest, key, "at most \(widest)") }
        try require(layers <= 1 << 10, "num_hidden_layers", "at most \(1 << 10)")
        var width = hidden / heads
        if let value = config["head_dim"], !value.isNull {
            width = try config.positiveInt("head_dim")
            try require(width <= 1 << 16, "head_dim", "at most \(1 << 16)")
        } else {
            try require(hidden % heads == 0, "hidden_size", "a multiple of num_attention_heads (\(heads))")
        }
        try require(width > 0 && width % 2 == 0, "head_dim", "even, for rotary positions")
        try require(
            heads % keyHeads == 0, "num_key_value_heads", "a divisor of num_attention_heads (\(heads))")
        try require(heads * width <= widest, "head_dim", "at most \(widest), times num_attention_heads (\(heads))")
        headWidth = width
        hasAttentionBias = try config.bool("attention_bias", default: false)
        hasInnerBias = try config.bool("mlp_bias", default: false)
    }
}
