import Checkpoints
import GGUF
import OrderedJSON
import Safetensors

/// Makes a config.json of the keys under `llama`.
struct LlamaKeys {
    let file: GGUFFile

    private func key(_ name: String) -> String { "llama." + name }

    private func optionalInt(_ name: String) throws -> Int? {
        guard let value = file.header.values[key(name)] else { return nil }
        guard let number = value.int, number > 0 else {
            throw ConversionError.missingKey(path: file.path, key: key(name), expected: "a positive whole number")
        }
        return number
    }

    private func int(_ name: String) throws -> Int {
        guard let number = try optionalInt(name) else {
            throw ConversionError.missingKey(path: file.path, key: key(name), expected: "there")
        }
        return number
    }

    private func positive(_ name: String) throws -> Float? {
        guard let value = file.header.values[key(name)] else { return nil }
        guard let number = value.double.map({ Float($0) }), number > 0, number.isFinite else {
            throw ConversionError.missingKey(path: file.path, key: key(name), expected: "a number above 0")
        }
        return number
    }

    /// A number above 0 as its shortest decimal that gives the same `Float` again.
    private func number(_ name: String, default standard: JSONValue) throws -> JSONValue {
        try positive(name).map { .number("\($0)") } ?? standard
    }

    /// A config.json that lacks nothing but the ids of the vocabulary, which are null.
    ///
    /// - Parameter type: The type that the checkpoint is to have.
    func config(type: TensorType) throws -> ModelConfig {
        try checkKind()
        let (hidden, heads) = (try int("embedding_length"), try int("attention.head_count"))
        let layers = try int("block_count")
        // Nine tensors to a layer: a count that lies must not be believed.
        guard layers <= file.tensors.count / 9 else {
            throw ConversionError.missingKey(
                path: file.path, key: key("block_count"), expected: "at most \(file.tensors.count / 9), by its tensors")
        }
        let width = try optionalInt("attention.key_length") ?? optionalInt("rope.dimension_count") ?? hidden / heads
        guard try optionalInt("rope.dimension_count") ?? width == width,
            try optionalInt("attention.value_length") ?? width == width
        else { throw ConversionError.unsupported(path: file.path, what: "heads that are turned only in part") }
        guard let embedding = file[TensorNaming.embedding], embedding.shape.count == 2 else {
            throw ConversionError.noTensor(path: file.path, tensor: TensorNaming.embedding)
        }
        let rows = embedding.shape[0]
        guard try optionalInt("vocab_size") ?? rows == rows else {
            throw ConversionError.missingKey(
                path: file.path, key: key("vocab_size"), expected: "\(rows), the rows of \(embedding.name)")
        }
        let json: JSONValue = [
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": .bool(file["blk.0.attn_q.bias"] != nil),
            "attention_dropout": 0.0,
            "bos_token_id": .null,
            "dtype": .string(dtype(type)),
            "eos_token_id": .null,
            "head_dim": .integer(width),
            "hidden_act": "silu",
            "hidden_size": .integer(hidden),
            "initializer_range": 0.02,
            "intermediate_size": .integer(try int("feed_forward_length")),
            "max_position_embeddings": .integer(try int("context_length")),
            "mlp_bias": .bool(file["blk.0.ffn_gate.bias"] != nil),
            "model_type": "llama",
            "num_attention_heads": .integer(heads),
            "num_hidden_layers": .integer(layers),
            "num_key_value_heads": .integer(try optionalInt("attention.head_count_kv") ?? heads),
            "pad_token_id": .null,
            "pretraining_tp": 1,
            "rms_norm_eps": try number("attention.layer_norm_rms_epsilon", default: .number("1e-05")),
            "rope_parameters": try rotary(),
            "tie_word_embeddings": .bool(file[TensorNaming.head] == nil),
            "use_cache": true,
            "vocab_size": .integer(rows),
        ]
        return ModelConfig(path: file.path, json: json)
    }

    private func checkKind() throws {
        let kind = file.header.values["general.architecture"]?.text ?? ""
        guard kind == "llama" else {
            throw ConversionError.unsupported(path: file.path, what: "general.architecture \"\(kind.prefix(40))\"")
        }
        if (try optionalInt("expert_count") ?? 0) > 0 {
            throw ConversionError.unsupported(path: file.path, what: "experts")
        }
    }

    private func rotary() throws -> JSONValue {
        var parameters: JSONValue = [
            "rope_theta": try number("rope.freq_base", default: 10_000.0), "rope_type": "default",
        ]
        if let factor = try linearFactor(), factor != 1 {
            parameters["rope_type"] = "linear"
            parameters["factor"] = .number("\(factor)")
        }
        return parameters
    }

    /// What positions are divided by, as llama.cpp reads it: a factor without a type is linear, and old files have it
    /// under `rope.scale_linear`.
    private func linearFactor() throws -> Float? {
        let name = "rope.scaling.type"
        if let value = file.header.values[key(name)] {
            guard let type = value.text else {
                throw ConversionError.missingKey(path: file.path, key: key(name), expected: "a text")
            }
            if type == "none" { return nil }
            guard type == "linear" else {
                throw ConversionError.unsupported(path: file.path, what: "\(name) \"\(type.prefix(40))\"")
            }
        }
        return try positive("rope.scaling.factor") ?? positive("rope.scale_linear")
    }

    /// The file's own names of what config.json calls so.
    private static let names = [
        "vocab_size": "vocab_size", "hidden_size": "embedding_length", "intermediate_size": "feed_forward_length",
        "num_hidden_layers": "block_count", "num_attention_heads": "attention.head_count",
        "num_key_value_heads": "attention.head_count_kv", "head_dim": "attention.key_length",
    ]

    /// Calls `body`; what it says of a config that was made here is told in the names that the file has.
    func renaming<R>(_ body: () throws -> R) throws -> R {
        do {
            return try body()
        } catch CheckpointError.missingKey(let path, let name, let expected) {
            throw ConversionError.missingKey(
                path: path, key: Self.names[name].map(key) ?? name,
                expected: Self.names.reduce(expected) { $0.replacing($1.key, with: key($1.value)) })
        }
    }

    private func dtype(_ type: TensorType) -> String {
        switch type {
        case .bfloat16: "bfloat16"
        case .float16: "float16"
        default: "float32"
        }
    }
}
