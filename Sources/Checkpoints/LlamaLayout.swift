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
        let shapes = try Self.shapes(config)
        let type = try tensorType(config)
        tensors = shapes.map { TensorPlan(name: $0.name, type: type, shape: $0.shape) }
        initializerRange = try config.double("initializer_range", default: 0.02)
        // Far above every model there is, and so that no type's numbers become infinite.
        guard (0...1000).contains(initializerRange) else {
            throw CheckpointError.missingKey(
                path: config.path, key: "initializer_range", expected: "a number from 0 to 1000")
        }
    }

    /// The names and shapes of the tensors, whatever type they have, in the order of the model's parts.
    ///
    /// - Throws: `CheckpointError` if the config is of another family or its sizes do not fit together.
    package static func shapes(_ config: ModelConfig) throws -> [(name: String, shape: [Int])] {
        let sizes = try LlamaSizes(config)
        var shapes: [(name: String, shape: [Int])] = []
        func add(_ name: String, _ shape: [Int]) { shapes.append((name, shape)) }
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
        return shapes
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
