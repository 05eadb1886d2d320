import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport
import Tokenizers

@testable import CheckpointResizing

/// A BPE tokenizer with <unk>, <s>, </s> and these pieces, scores descending.
func tokenizer(_ pieces: [String], path: String = "(in memory)") throws -> Tokenizer {
    var model = SentencePieceModel(proto: .init(), path: path)
    model.proto.trainerSpec.modelType = .bpe
    model.proto.normalizerSpec.name = "identity"
    for (index, text) in (["<unk>", "<s>", "</s>"] + pieces).enumerated() {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = index < 3 ? 0 : -Float(index)
        piece.type = index == 0 ? .unknown : index < 3 ? .control : .normal
        model.proto.pieces.append(piece)
    }
    return try Tokenizer(model)
}

let oldPieces = ["▁", "人", "工", "智", "能", "人工", "▁a", "a"]
let newPieces = oldPieces + ["人工智能", "智能", "▁人工", "▁aa", "xyz"]

/// Numbers that differ at every place, in the type's own precision.
func values(_ count: Int, seed: Int) -> [Float] {
    (0..<count).map { Float(($0 * 37 + seed * 101) % 257 - 128) / 64 }
}

/// The tensors of the one layer: of 6 columns, 5 inner ones and one head.
private let layer: [(name: String, shape: [Int])] = [
    ("self_attn.q_proj.weight", [6, 6]), ("self_attn.k_proj.weight", [6, 6]), ("self_attn.v_proj.weight", [6, 6]),
    ("self_attn.o_proj.weight", [6, 6]), ("mlp.gate_proj.weight", [5, 6]), ("mlp.up_proj.weight", [5, 6]),
    ("mlp.down_proj.weight", [6, 5]), ("input_layernorm.weight", [6]), ("post_attention_layernorm.weight", [6]),
]

/// A checkpoint of old vocabulary size with 6 columns: the embedding comes first in `plans`, the LM head last.
func writeModel(
    _ directory: String, pieces: [String] = oldPieces, type: TensorType = .float32, tied: Bool = false,
    shardSize: Int = .max, withTokenizer: Bool = true,
    change: (inout [TensorPlan], inout JSONValue) -> Void = { _, _ in }
) throws {
    let rows = pieces.count + 3
    var plans = [TensorPlan(name: "model.embed_tokens.weight", type: type, shape: [rows, 6])]
    plans += layer.map { TensorPlan(name: "model.layers.0.\($0.name)", type: type, shape: $0.shape) }
    plans.append(TensorPlan(name: "model.norm.weight", type: .float32, shape: [6]))
    if !tied { plans.append(TensorPlan(name: "lm_head.weight", type: type, shape: [rows, 6])) }
    var config: JSONValue = [
        "zeta": ["kept": [1, 2.5]], "vocab_size": .integer(rows), "bos_token_id": 1, "eos_token_id": 2,
        "rms_norm_eps": .number("1e-05"), "tie_word_embeddings": .bool(tied), "unknown_key": .null,
        "hidden_size": 6, "intermediate_size": 5, "num_hidden_layers": 1, "num_attention_heads": 1,
    ]
    change(&plans, &config)
    var writer = try CheckpointWriter(directory, tensors: plans, maximumShardSize: shardSize, replacing: false)
    for plan in writer.tensors {
        let count = plan.shape.reduce(1, *)
        let isFloat = plan.type.isFloatingPoint
        try writer.write(
            isFloat
                ? plan.type.bytes(values(count, seed: plan.name.utf8.count))
                : [UInt8](repeating: 1, count: try plan.type.byteCount(shape: plan.shape)))
    }
    try writeFile(writer.path(of: "generation_config.json"), "{}".utf8)
    try writeFile(writer.path(of: "tokenizer_config.json"), "{}".utf8)
    if withTokenizer {
        try writeFile(writer.path(of: "tokenizer.model"), try tokenizer(pieces).model.serialized())
    }
    try writer.finish(config: config)
}

func entries(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}
