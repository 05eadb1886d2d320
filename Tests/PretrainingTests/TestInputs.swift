import FileIO
import Foundation
import OrderedJSON
import Safetensors
import SeededRandom

@testable import Pretraining

/// A tokenizer that maps each byte b to id b + 3; 1 begins and 2 ends a document.
let byteTokenizer = TrainingTokenizer(
    path: "bytes", digest: "bytes", pieceCount: 259, beginID: 1, endID: 2,
    pieceBytes: PieceBytes(counts: [0, 0, 0] + [Int32](repeating: 1, count: 256)),
    encode: { $0.map { Int32($0) + 3 } })

/// Decodes the byte tokenizer's ids one by one; control ids leave no trace.
private struct ByteDecoder: TextDecoder {
    mutating func append(_ id: Int32) -> String {
        UInt8(exactly: id - 3).map { String(decoding: [$0], as: UTF8.self) } ?? ""
    }

    func rest() -> String { "" }
}

extension TrainingTokenizer {
    /// A tokenizer that decodes as the byte tokenizer does.
    init(
        path: String, digest: String, pieceCount: Int, beginID: Int32?, endID: Int32,
        pieceBytes: PieceBytes? = nil, encode: @escaping @Sendable ([UInt8]) throws -> [Int32]
    ) {
        self.init(
            path: path, digest: digest, pieceCount: pieceCount, beginID: beginID, endID: endID,
            pieceBytes: pieceBytes, encode: encode, decoder: { _ in ByteDecoder() })
    }
}

/// Writes documents into a token cache under `directory`.
func makeCache(
    _ documents: [String], in directory: String, tokenizer: TrainingTokenizer = byteTokenizer, threads: Int = 1
) throws -> TokenCache {
    let path = directory + "/\(UUID().uuidString).tokens"
    var writer = try TokenCacheWriter(path, tokenizer: tokenizer, threads: threads)
    for document in documents { try writer.append(Array(document.utf8)) }
    _ = try writer.commit()
    return try TokenCache(path)
}

/// Tokenizes a file into a cache under `directory`, or finds it there.
func makeCache(of path: String, in directory: String, observer: RunObserver = RunObserver()) throws -> TokenCache {
    try TokenCacheDirectory(directory + "/tokens", tokenizer: byteTokenizer, threads: 1, observer: observer)
        .tokens(of: TextSource([path]), named: "text").trained
}

/// Documents of lengths around a block of 16, seeded.
func sampleDocuments(_ count: Int, seed: UInt64 = 7) -> [String] {
    var generator = SplitMix64(seed: seed, purpose: 0)
    return (0..<count).map { _ in
        let length = 1 + Int(generator.next(below: 40))
        return String(decoding: (0..<length).map { _ in UInt8(97 + generator.next(below: 26)) }, as: UTF8.self)
    }
}

/// Writes a small random LLaMA: 2 layers, width 16, 4 heads in 2 groups, 259 rows.
func makeTinyModel(in directory: String, scale: Float = 0.3, type: TensorType = .float32) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let config: JSONValue = [
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 259, "hidden_size": 16,
        "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "rms_norm_eps": .number("1e-05"), "rope_theta": .number("10000.0"), "max_position_embeddings": 64,
        "hidden_act": "silu", "tie_word_embeddings": false, "torch_dtype": "float32", "bos_token_id": 1,
        "eos_token_id": 2,
    ]
    try writeFile(directory + "/config.json", config.utf8())
    var shapes: [(String, [Int])] = [
        ("model.embed_tokens.weight", [259, 16]), ("lm_head.weight", [259, 16]), ("model.norm.weight", [16]),
    ]
    for layer in 0..<2 {
        let prefix = "model.layers.\(layer)."
        shapes += [
            ("input_layernorm.weight", [16]), ("post_attention_layernorm.weight", [16]),
            ("self_attn.q_proj.weight", [16, 16]), ("self_attn.k_proj.weight", [8, 16]),
            ("self_attn.v_proj.weight", [8, 16]), ("self_attn.o_proj.weight", [16, 16]),
            ("mlp.gate_proj.weight", [24, 16]), ("mlp.up_proj.weight", [24, 16]), ("mlp.down_proj.weight", [16, 24]),
        ].map { (prefix + $0.0, $0.1) }
    }
    var generator = SplitMix64(seed: 11, purpose: 0)
    let tensors = shapes.map { name, shape -> (plan: TensorPlan, bytes: [UInt8]) in
        let values = (0..<shape.reduce(1, *)).map { _ -> Float in
            let unit = Float(generator.next(below: 1 << 20)) / Float(1 << 20) - 0.5
            return shape.count == 1 ? 1 + unit * 0.1 : unit * scale
        }
        return (TensorPlan(name: name, type: type, shape: shape), type.bytes(values))
    }
    try writeSafetensors(directory + "/model.safetensors", tensors)
}
