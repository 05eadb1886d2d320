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

    /// A number as its shortest decimal that gives the same `Float` again.
    private func number(_ name: String, default standard: JSONValue) throws -> JSONValue {
        guard let value = file.header.values[key(name)] else { return standard }
        guard let number = value.double, number.isFinite else {
            throw ConversionError.missingKey(path: file.path, key: key(name), expected: "a number")
        }
        return .number("\(Float(number))")
    }

    /// - Parameter type: The type that the checkpoint is to have.
    func config(type: TensorType, vocabulary: VocabularyIDs) throws -> ModelConfig {
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
        let json: JSONValue = [
            "architectures": ["LlamaForCausalLM"],
            "attention_bias": .bool(file["blk.0.attn_q.bias"] != nil),
            "attention_dropout": 0.0,
            "bos_token_id": vocabulary.begin,
            "dtype": .string(dtype(type)),
            "eos_token_id": vocabulary.end,
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
            "pad_token_id": vocabulary.pad,
            "pretraining_tp": 1,
            "rms_norm_eps": try number("attention.layer_norm_rms_epsilon", default: .number("1e-05")),
            "rope_parameters": try rotary(),
            "tie_word_embeddings": .bool(file[TensorNaming.head] == nil),
            "use_cache": true,
            "vocab_size": .integer(embedding.shape[0]),
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
        switch file.header.values[key("rope.scaling.type")]?.text {
        case nil, "none": break
        case "linear":
            parameters["rope_type"] = "linear"
            parameters["factor"] = try number("rope.scaling.factor", default: 1.0)
        case let type?:
            throw ConversionError.unsupported(path: file.path, what: "rope.scaling.type \"\(type.prefix(40))\"")
        }
        return parameters
    }

    private func dtype(_ type: TensorType) -> String {
        switch type {
        case .bfloat16: "bfloat16"
        case .float16: "float16"
        default: "float32"
        }
    }
}

/// The ids that config.json repeats from the vocabulary; null for one that there is not.
struct VocabularyIDs {
    var begin: JSONValue = .null
    var end: JSONValue = .null
    var pad: JSONValue = .null
}
