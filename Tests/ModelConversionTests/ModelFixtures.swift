import Checkpoints
import FileIO
import Foundation
import GGUF
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport

@testable import ModelConversion

/// A BPE model with byte fallback, of 266 entries.
func smallTokenizer() -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    proto.appendSpecialPieces()
    proto.appendBytes()
    for (index, text) in ["▁a", "中", "文", "▁", "a", "b", "中文"].enumerated() { proto.append(text, -0.1 * Float(index)) }
    proto.trainerSpec.modelType = .bpe
    proto.trainerSpec.byteFallback = true
    proto.normalizerSpec.removeExtraWhitespaces = false
    return SentencePieceModel(proto: proto, path: "small.model")
}

/// A grouped-query model of two layers.
func smallConfig(rows: Int = 266, _ changes: [String: JSONValue] = [:]) -> JSONValue {
    var json: JSONValue = [
        "model_type": "llama", "vocab_size": .integer(rows), "hidden_size": 64, "intermediate_size": 96,
        "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
        "rms_norm_eps": .number("1e-06"), "rope_theta": 500_000.0, "hidden_act": "silu",
    ]
    for (key, value) in changes.sorted(by: { $0.key < $1.key }) { json[key] = value }
    return json
}

/// Writes a model with random weights and the small tokenizer.
func writeSmallModel(
    _ directory: String, rows: Int = 266, _ changes: [String: JSONValue] = [:], seed: UInt64 = 5
) throws {
    let file = directory + ".tokenizer.model"
    try writeFile(file, smallTokenizer().serialized())
    defer { try? FileManager.default.removeItem(atPath: file) }
    let config = ModelConfig(path: directory + "/config.json", json: smallConfig(rows: rows, changes))
    try writeRandomCheckpoint(
        to: directory, config: config, seed: seed, tokenizerFiles: [(file, "tokenizer.model")], replacing: true)
}

/// Writes the tensors of a checkpoint anew, each as `change` gives it back: nil leaves it out.
func rewrite(
    _ directory: String, adding extra: [(TensorPlan, [UInt8])] = [],
    _ change: (TensorInfo, [UInt8]) -> (plan: TensorPlan, bytes: [UInt8])?
) throws {
    let path = directory + "/model.safetensors"
    let file = try SafetensorsFile(path)
    var tensors: [(plan: TensorPlan, bytes: [UInt8])] = []
    for tensor in file.tensors {
        if let changed = change(tensor, file.withUnsafeBytes(of: tensor) { Array($0) }) { tensors.append(changed) }
    }
    try writeSafetensors(path, tensors + extra.map { (plan: $0.0, bytes: $0.1) })
}

/// Writes the model as GGUF and reads it back.
func toGGUF(_ directory: String, _ path: String, _ type: GGUFModelType? = nil, threads: Int = 2) throws {
    try GGUFModelWriter(Checkpoint(directory: directory), type: type).write(to: path, name: "small", threads: threads)
}

func fromGGUF(_ path: String, _ directory: String, _ type: TensorType? = nil) throws {
    try GGUFModelReader(contentsOf: path, type: type).write(to: directory, replacing: true)
}

/// Writes a GGUF file anew, its values and tensors as `change` leaves them.
func rewriteGGUF(
    _ path: String, to other: String,
    _ change: (inout [String: GGUFValue], inout [(plan: GGUFTensorPlan, bytes: [UInt8])]) -> Void
) throws {
    let file = try GGUFFile(path)
    var values = file.header.values
    var tensors = file.tensors.map { tensor in
        (
            plan: GGUFTensorPlan(name: tensor.name, type: tensor.type, shape: tensor.shape),
            bytes: file.withChunk(of: tensor, 0..<tensor.byteCount) { Array($0) }
        )
    }
    change(&values, &tensors)
    var entries = GGUFEntries()
    for (key, value) in values.sorted(by: { $0.key < $1.key }) { entries.add(key, value) }
    var writer = try GGUFWriter(other, entries: entries, tensors: tensors.map(\.plan))
    for tensor in tensors { try writer.write(tensor.bytes) }
    try writer.finish()
}

extension GGUFEntries {
    fileprivate mutating func add(_ key: String, _ value: GGUFValue) {
        switch value {
        case .unsigned(let number): add(key, UInt32(number))
        case .float(let number): add(key, Float(number))
        case .bool(let flag): add(key, flag)
        case .string(let text): add(key, String(decoding: text, as: UTF8.self))
        case .strings(let texts): add(key, texts.map { $0[...] })
        case .floats(let floats): add(key, floats)
        case .integers(let integers): add(key, integers.map { Int32($0) })
        case .signed, .other: preconditionFailure("nothing here writes these")
        }
    }
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
