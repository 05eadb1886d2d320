import Checkpoints
import FileIO
import Foundation
import GGUF
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import ModelConversion

/// What GGUFModelWriter says of a model that was changed so.
private func refusal(
    rows: Int = 266, _ changes: [String: JSONValue] = [:], type: GGUFModelType? = nil,
    _ spoil: (String) throws -> Void = { _ in }
) throws -> String {
    try withTemporaryDirectory { directory in
        let model = directory + "/model"
        try writeSmallModel(model, rows: rows, changes)
        try spoil(model)
        let text = message { try toGGUF(model, directory + "/m.gguf", type) }
        #expect(text.hasPrefix(directory) && text.contains("; ") && !text.contains("\n"), "\(text)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["model"])
        return text
    }
}

@Suite struct HostileModelTests {
    @Test func `tensors that are missing, spare or of another shape`() throws {
        let name = "model.layers.1.mlp.up_proj.weight"
        #expect(
            try refusal { try rewrite($0) { $0.name == name ? nil : (TensorPlan($0), $1) } }
                .contains("holds no tensor \(name)"))
        let spare = (TensorPlan(name: "model.layers.0.self_attn.q_norm.weight", type: .uint8, shape: [1]), [UInt8(0)])
        #expect(
            try refusal { try rewrite($0, adding: [spare]) { (TensorPlan($0), $1) } }
                .contains("holds the tensor model.layers.0.self_attn.q_norm.weight"))
        #expect(
            try refusal {
                try rewrite($0) { tensor, bytes in
                    guard tensor.name == name else { return (TensorPlan(tensor), bytes) }
                    return (TensorPlan(name: name, type: tensor.type, shape: [64, 96]), bytes)
                }
            }.contains("tensor \(name) has shape [64, 96], but the model's sizes call for [96, 64]"))
    }

    @Test func `angles that old checkpoints store are passed over`() throws {
        try withTemporaryDirectory { directory in
            try writeSmallModel(directory + "/model")
            let name = "model.layers.0.self_attn.rotary_emb.inv_freq"
            let angles = (TensorPlan(name: name, type: .float32, shape: [2]), [UInt8](repeating: 0, count: 8))
            try rewrite(directory + "/model", adding: [angles]) { (TensorPlan($0), $1) }
            try toGGUF(directory + "/model", directory + "/m.gguf")
            #expect(try GGUFFile(directory + "/m.gguf").tensors.count == 21)
        }
    }

    @Test func `numbers that the type cannot hold`() throws {
        func spoil(_ value: Float) -> (String) throws -> Void {
            { directory in
                try rewrite(directory) { tensor, bytes in
                    guard tensor.name == TensorNames.head else { return (TensorPlan(tensor), bytes) }
                    var floats = bytes.withUnsafeBytes { tensor.type.floats($0) }
                    floats[70] = value
                    return (TensorPlan(tensor), tensor.type.bytes(floats))
                }
            }
        }
        #expect(try refusal(type: .q4_0, spoil(.nan)).contains("lm_head.weight holds numbers that q8_0 cannot hold"))
        #expect(try refusal(type: .q8_0, spoil(-.infinity)).contains("numbers that q8_0 cannot hold"))
        #expect(try refusal(type: .f16, spoil(65_520)).contains("numbers that f16 cannot hold"))
        #expect(try refusal(type: .bf16, spoil(.greatestFiniteMagnitude)).contains("numbers that bf16 cannot hold"))
    }

    @Test func `types of numbers without a counterpart`() throws {
        func spoil(_ type: TensorType) -> (String) throws -> Void {
            { directory in
                try rewrite(directory) { tensor, bytes in
                    guard tensor.name == TensorNames.embedding else { return (TensorPlan(tensor), bytes) }
                    let size = tensor.count * type.bits / 8
                    return (
                        TensorPlan(name: tensor.name, type: type, shape: tensor.shape), Array(repeating: 0, count: size)
                    )
                }
            }
        }
        let name = "model.embed_tokens.weight"
        #expect(
            try refusal([:], spoil(.float64))
                .contains("tensor \(name) is of type F64, which has no counterpart in GGUF; say with --type"))
        #expect(try refusal([:], spoil(.int8)).contains("has tensor \(name) of type I8, which cannot be converted"))
        #expect(try refusal(type: .f32, spoil(.int8)).contains("has tensor \(name) of type I8"))
        try withTemporaryDirectory { directory in
            try writeSmallModel(directory + "/model")
            try spoil(.float64)(directory + "/model")
            try toGGUF(directory + "/model", directory + "/m.gguf", .f32)
            #expect(try GGUFFile(directory + "/m.gguf")["token_embd.weight"]?.type == .f32)
        }
    }

    @Test func `configs that llama_cpp would compute otherwise`() throws {
        #expect(try refusal(["hidden_act": "gelu"]).contains("hidden_act \"gelu\""))
        #expect(
            try refusal(["rope_scaling": ["rope_type": "yarn", "factor": 2]]).contains("rope_scaling of type yarn"))
        #expect(try refusal(["partial_rotary_factor": 0.5]).contains("partial_rotary_factor 0.5"))
        for key in ["rope_parameters", "rope_scaling"] {
            let parameters: JSONValue = ["rope_type": "default", "partial_rotary_factor": 0.5]
            #expect(try refusal([key: parameters]).contains("\(key).partial_rotary_factor 0.5"))
        }
        for number: JSONValue in [0.0, -1.0] {
            #expect(try refusal(["rms_norm_eps": number]).contains("rms_norm_eps should be a number above 0"))
            #expect(try refusal(["rope_theta": number]).contains("rope_theta should be a number above 0"))
        }
        #expect(try refusal(["rope_scaling": ["type": "linear"]]).contains("rope_scaling.factor should be above 0"))
    }

    @Test func `vocabularies that do not fit`() throws {
        #expect(try refusal(rows: 200).contains("has an entry 265, but the model has 200 rows"))
        #expect(
            try refusal { try writeFile($0 + "/added_tokens.json", #"{"<pad>": 266}"#.utf8) }
                .contains("has an entry 266, but the model has 266 rows"))
        #expect(
            try refusal { try FileManager.default.removeItem(atPath: $0 + "/tokenizer.model") }
                .contains("neither tokenizer.model nor tokenizer.json"))
        #expect(
            try refusal { try writeFile($0 + "/added_tokens.json", #"{"<pad>": "x"}"#.utf8) }.contains("an id"))
    }

    @Test func `a sliding window is said to be left out`() throws {
        try withTemporaryDirectory { directory in
            try writeSmallModel(directory + "/model", ["model_type": "mistral", "sliding_window": 64])
            let writer = try GGUFModelWriter(Checkpoint(directory: directory + "/model"), type: nil)
            #expect(writer.differences.count == 1 && writer.differences[0].contains("sliding_window 64"))
        }
    }
}
