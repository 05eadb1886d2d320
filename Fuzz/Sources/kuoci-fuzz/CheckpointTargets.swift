import Checkpoints
import FileIO
import Foundation
import ModelConversion
import OrderedJSON

@testable import Safetensors

/// The header of a safetensors file: what is taken lies in the file, tensor after tensor, and reads as what it says.
func fuzzSafetensors(_ bytes: UnsafeRawBufferPointer) {
    do throws(SafetensorsError) {
        let header = try SafetensorsHeader(validating: bytes, path: "fuzz.safetensors")
        var end = header.tensors.first?.byteRange.lowerBound ?? bytes.count
        for tensor in header.tensors {
            guard tensor.byteRange.lowerBound == end, tensor.byteRange.upperBound <= bytes.count else {
                fatalError("a tensor outside its place")
            }
            end = tensor.byteRange.upperBound
            guard tensor.type.isFloatingPoint else { continue }
            let floats = tensor.type.floats(UnsafeRawBufferPointer(rebasing: bytes[tensor.byteRange]))
            guard floats.count == tensor.count else { fatalError("a shape of another size than the bytes") }
        }
        guard end == bytes.count else { fatalError("bytes that belong to no tensor") }
    } catch {
        checkMessage(error)
    }
}

private let home: String = {
    let path = NSTemporaryDirectory() + "/kuoci-fuzz-checkpoints-\(getpid())"
    do { try writeModel(to: path + "/model") } catch { fatalError("\(error)") }
    return path
}()

/// A model of two shards, which the inputs' configs and indices are put beside, and which their adapters are for.
private func writeModel(to path: String) throws {
    let plans = [
        TensorPlan(name: "model.embed_tokens.weight", type: .float32, shape: [6, 4]),
        TensorPlan(name: "model.layers.0.self_attn.q_proj.weight", type: .float32, shape: [4, 4]),
        TensorPlan(name: "lm_head.weight", type: .bfloat16, shape: [6, 4]),
    ]
    let shards = [
        ShardPlan(name: "a.safetensors", tensors: Array(plans[..<2])),
        ShardPlan(name: "b.safetensors", tensors: [plans[2]]),
    ]
    var writer = try CheckpointWriter(path, shards: shards, replacing: true)
    for tensor in writer.tensors {
        try writer.write([UInt8](repeating: 0x3F, count: try tensor.type.byteCount(shape: tensor.shape)))
    }
    try writer.finish(config: ["vocab_size": 6, "hidden_size": 4, "model_type": "llama"])
}

/// Puts what stands before and after the first NUL into two files, without the waiting of a durable write.
private func putHalves(_ bytes: UnsafeRawBufferPointer, _ first: String, _ second: String) {
    let halves = bytes.split(separator: 0, maxSplits: 1, omittingEmptySubsequences: false)
    for (path, content) in zip([first, second], halves) {
        FileManager.default.createFile(atPath: path, contents: Data(content))
    }
}

/// A config.json and, after a NUL, an index of two shards.
func fuzzCheckpoint(_ bytes: UnsafeRawBufferPointer) {
    let path = home + "/model"
    putHalves(bytes, path + "/config.json", path + "/model.safetensors.index.json")
    do {
        let config = try ModelConfig(contentsOf: path + "/config.json")
        if let layout = try? LlamaLayout(config) {
            guard layout.parameterCount > 0 else { fatalError("a model without parameters") }
        }
        let checkpoint = try Checkpoint(directory: path)
        for tensor in checkpoint.tensors { _ = try checkpoint.floats(of: tensor.name) }
        _ = try checkpoint.config.tiesWordEmbeddings
        _ = try checkpoint.config.vocabularySize
    } catch {
        checkMessage(error)
    }
}

private let base: Checkpoint = {
    do { return try Checkpoint(directory: home + "/model") } catch { fatalError("\(error)") }
}()

/// An adapter_config.json and, after a NUL, the adapter's weights.
func fuzzAdapter(_ bytes: UnsafeRawBufferPointer) {
    let path = home + "/adapter"
    _ = base
    mkdir(path, 0o700)
    putHalves(bytes, path + "/adapter_config.json", path + "/adapter_model.safetensors")
    do {
        let folding = try AdapterFolding(base: base, adapter: try Adapter(directory: path))
        _ = folding.adapter.config.json.text(.huggingFace)
        guard folding.adapter.config.scaling.isFinite else { fatalError("a scaling that is not finite") }
    } catch {
        checkMessage(error)
    }
}

/// A GGUF file of a whole model: what is taken becomes a checkpoint that opens, with as many numbers.
func fuzzGGUFModel(_ bytes: UnsafeRawBufferPointer) {
    let path = home + "/model.gguf"
    FileManager.default.createFile(atPath: path, contents: Data(bytes))
    do {
        let reader = try GGUFModelReader(contentsOf: path)
        try reader.write(to: home + "/from-gguf", replacing: true, threads: 1)
        let checkpoint = try Checkpoint(directory: home + "/from-gguf")
        let count = checkpoint.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
        guard count == reader.parameterCount else { fatalError("a checkpoint of another size came out") }
    } catch {
        checkMessage(error)
    }
}
