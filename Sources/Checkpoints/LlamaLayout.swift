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
        let sizes = try LlamaSizes(config)
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
