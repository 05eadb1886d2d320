public import OrderedJSON

/// Sizes of models: small ones for trying things out, and LLaMA's own for measuring what a machine can do.
public enum LlamaPreset: String, Sendable, CaseIterable {
    /// For tests: 0.1 million parameters besides the vocabulary's.
    case nano
    /// For the main job, where 32,000 to 50,000 entries outweigh all else: 1.6 million besides the vocabulary's.
    case tiny
    /// 22 million besides the vocabulary's.
    case small
    /// 85 million besides the vocabulary's.
    case medium
    /// LLaMA 7B as Meta made it, in bfloat16: 6.5 billion besides the vocabulary's, 13 GB.
    case llama7B = "llama-7b"

    private struct Sizes {
        var hidden: Int
        var layers: Int
        var heads: Int
        var keyValueHeads: Int
        var inner: Int
        var positions: Int
        var normEpsilon = "1e-05"
        var type = "float32"
    }

    private var sizes: Sizes {
        switch self {
        case .nano: Sizes(hidden: 64, layers: 2, heads: 4, keyValueHeads: 2, inner: 192, positions: 512)
        case .tiny: Sizes(hidden: 192, layers: 4, heads: 6, keyValueHeads: 3, inner: 512, positions: 1024)
        case .small: Sizes(hidden: 512, layers: 8, heads: 8, keyValueHeads: 4, inner: 1376, positions: 2048)
        case .medium: Sizes(hidden: 768, layers: 14, heads: 12, keyValueHeads: 4, inner: 2048, positions: 2048)
        case .llama7B:
            Sizes(
                hidden: 4096, layers: 32, heads: 32, keyValueHeads: 32, inner: 11008, positions: 2048,
                normEpsilon: "1e-06", type: "bfloat16")
        }
    }

    /// A config.json with the keys that transformers writes for a LlamaConfig, in its order.
    public func config(vocabularySize: Int, beginID: Int?, endID: Int?, padID: Int?) -> JSONValue {
        func id(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
        return [
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": false,
            "attention_dropout": 0.0,
            "bos_token_id": id(beginID),
            "dtype": .string(sizes.type),
            "eos_token_id": id(endID),
            "head_dim": .integer(sizes.hidden / sizes.heads),
            "hidden_act": "silu",
            "hidden_size": .integer(sizes.hidden),
            "initializer_range": 0.02,
            "intermediate_size": .integer(sizes.inner),
            "max_position_embeddings": .integer(sizes.positions),
            "mlp_bias": false,
            "model_type": "llama",
            "num_attention_heads": .integer(sizes.heads),
            "num_hidden_layers": .integer(sizes.layers),
            "num_key_value_heads": .integer(sizes.keyValueHeads),
            "pad_token_id": id(padID),
            "pretraining_tp": 1,
            "rms_norm_eps": .number(sizes.normEpsilon),
            "rope_parameters": ["rope_theta": 10000.0, "rope_type": "default"],
            "tie_word_embeddings": false,
            "use_cache": true,
            "vocab_size": .integer(vocabularySize),
        ]
    }
}
