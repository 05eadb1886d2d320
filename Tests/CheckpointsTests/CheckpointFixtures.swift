import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport

@testable import Checkpoints

/// A small LLaMA-like set of tensors with bytes that tell every place apart.
let smallPlans: [TensorPlan] = [
    TensorPlan(name: "model.embed_tokens.weight", type: .float32, shape: [6, 4]),
    TensorPlan(name: "model.layers.0.self_attn.q_proj.weight", type: .float32, shape: [4, 4]),
    TensorPlan(name: "model.norm.weight", type: .bfloat16, shape: [4]),
    TensorPlan(name: "lm_head.weight", type: .float32, shape: [6, 4]),
]

let smallConfig: JSONValue = [
    "zeta": ["nested": [1, 2.5]], "model_type": "llama", "vocab_size": 6, "hidden_size": 4,
    "rms_norm_eps": .number("1e-05"), "tie_word_embeddings": false,
]

func content(of plan: TensorPlan) throws -> [UInt8] {
    let count = try plan.type.byteCount(shape: plan.shape)
    let start = plan.name.utf8.reduce(0) { $0 &* 31 &+ Int($1) }
    return (0..<count).map { UInt8(truncatingIfNeeded: start &+ $0 &* 7) & 0x3F }
}

/// Writes the small checkpoint, in shards of at most so many bytes.
func writeSmallCheckpoint(_ directory: String, maximumShardSize: Int = .max, replacing: Bool = false) throws {
    var writer = try CheckpointWriter(
        directory, tensors: smallPlans, maximumShardSize: maximumShardSize, replacing: replacing)
    for tensor in writer.tensors { try writer.write(try content(of: tensor)) }
    try writer.finish(config: smallConfig)
}

func writeText(_ path: String, _ text: String) throws {
    try writeFile(path, text.utf8)
}

/// The error that `body` throws, as its text.
func message(_ body: () throws -> Void) -> String {
    do {
        try body()
        return "nothing was thrown"
    } catch {
        return "\(error)"
    }
}

func entries(_ directory: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
}
