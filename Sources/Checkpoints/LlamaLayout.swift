import OrderedJSON
public import Safetensors

/// The tensors that a config.json of the LLaMA family calls for.
public struct LlamaLayout: Sendable {
    /// In the order of the model's parts.
    public let tensors: [TensorPlan]
    /// Numbers in all of them.
    public var parameterCount: Int {
        tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    }

    /// The deviation of random weights.
    public let initializerRange: Double

    /// - Throws: `CheckpointError` if the config is of another family or its sizes do not fit together.
    public init(_ config: ModelConfig) throws {
        let sizes = try Sizes(config)
        let type = try tensorType(config)
        var plans: [TensorPlan] = []
        func add(_ name: String, _ shape: [Int]) { plans.append(TensorPlan(name: name, type: type, shape: shape)) }
        func addLinear(_ name: String, _ shape: [Int], hasBias: Bool) {
            add(name + ".weight", shape)
            if hasBias { add(name + ".bias", [shape[0]]) }
        }
        add(TensorNames.embedding, [sizes.vocabulary, sizes.hidden])
        for layer in 0..<sizes.layers {
            func name(_ part: String) -> String { TensorNames.layer(layer, part) }
            for (part, width) in [("q", sizes.queryWidth), ("k", sizes.keyWidth), ("v", sizes.keyWidth)] {
                addLinear(name("self_attn.\(part)_proj"), [width, sizes.hidden], hasBias: sizes.hasAttentionBias)
            }
            addLinear(
                name("self_attn.o_proj"), [sizes.hidden, sizes.queryWidth], hasBias: sizes.hasAttentionBias)
            addLinear(name("mlp.gate_proj"), [sizes.inner, sizes.hidden], hasBias: sizes.hasInnerBias)
            addLinear(name("mlp.up_proj"), [sizes.inner, sizes.hidden], hasBias: sizes.hasInnerBias)
            addLinear(name("mlp.down_proj"), [sizes.hidden, sizes.inner], hasBias: sizes.hasInnerBias)
            add(name("input_layernorm.weight"), [sizes.hidden])
            add(name("post_attention_layernorm.weight"), [sizes.hidden])
        }
        add(TensorNames.finalNorm, [sizes.hidden])
        if try !config.tiesWordEmbeddings { add(TensorNames.head, [sizes.vocabulary, sizes.hidden]) }
        tensors = plans
        initializerRange = try config.double("initializer_range", default: 0.02)
    }
}

/// The numbers of a config, checked against each other.
private struct Sizes {
    let vocabulary: Int
    let hidden: Int
    let inner: Int
    let layers: Int
    let queryWidth: Int
    let keyWidth: Int
    let hasAttentionBias: Bool
    let hasInnerBias: Bool

    init(_ config: ModelConfig) throws {
        func require(_ condition: Bool, _ key: String, _ expected: String) throws {
            if !condition { throw CheckpointError.missingKey(path: config.path, key: key, expected: expected) }
        }
        let family = config["model_type"]?.string ?? "llama"
        try require(family == "llama" || family == "mistral", "model_type", "\"llama\", not \"\(family)\"")
        vocabulary = try config.positiveInt("vocab_size")
        hidden = try config.positiveInt("hidden_size")
        inner = try config.positiveInt("intermediate_size")
        layers = try config.positiveInt("num_hidden_layers")
        let heads = try config.positiveInt("num_attention_heads")
        let keyHeads = try config["num_key_value_heads"].map { value in
            value.isNull ? heads : try config.positiveInt("num_key_value_heads")
        }
        // Far above every model there is, and so that the numbers of all tensors together fit an Int.
        let widest = 1 << 24
        for (key, value) in [
            ("hidden_size", hidden), ("intermediate_size", inner), ("vocab_size", vocabulary),
            ("num_attention_heads", heads),
        ] { try require(value <= widest, key, "at most \(widest)") }
        try require(layers <= 1 << 10, "num_hidden_layers", "at most \(1 << 10)")
        var headWidth = hidden / heads
        if let value = config["head_dim"], !value.isNull {
            headWidth = try config.positiveInt("head_dim")
            try require(headWidth <= 1 << 16, "head_dim", "at most \(1 << 16)")
        } else {
            try require(hidden % heads == 0, "hidden_size", "a multiple of num_attention_heads (\(heads))")
        }
        try require(headWidth > 0 && headWidth % 2 == 0, "head_dim", "even, for rotary positions")
        try require(
            heads % (keyHeads ?? heads) == 0, "num_key_value_heads", "a divisor of num_attention_heads (\(heads))")
        try require(
            heads * headWidth <= widest, "head_dim", "at most \(widest), times num_attention_heads (\(heads))")
        queryWidth = heads * headWidth
        keyWidth = (keyHeads ?? heads) * headWidth
        hasAttentionBias = try config.bool("attention_bias", default: false)
        hasInnerBias = try config.bool("mlp_bias", default: false)
    }
}

private func tensorType(_ config: ModelConfig) throws -> TensorType {
    // transformers 5 writes dtype, 4 wrote torch_dtype.
    let key = config["dtype"] == nil ? "torch_dtype" : "dtype"
    switch config[key]?.string ?? "float32" {
    case "float32": return .float32
    case "bfloat16": return .bfloat16
    case "float16": return .float16
    default:
        throw CheckpointError.missingKey(path: config.path, key: key, expected: "float32, bfloat16 or float16")
    }
}
