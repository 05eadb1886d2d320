import FileIO
import OrderedJSON
public import Partitioning
public import Provenance
package import Safetensors

/// Writes a LLaMA checkpoint with random weights: norms are 1, biases 0, all else normal around 0 with the config's
/// `initializer_range`, as transformers starts a model. Same config and seed, same bytes, at any number of threads.
///
/// - Parameter tokenizerFiles: Files to copy beside the weights, with the names they are to have.
public func writeRandomCheckpoint(
    to directory: String, config: ModelConfig, seed: UInt64, tokenizerFiles: [(source: String, name: String)],
    maximumShardSize: Int = ShardPlan.defaultMaximumSize, manifest: Manifest? = nil, replacing: Bool,
    threads: Int = availableProcessors, progress: ProgressHandler = { _ in }
) throws {
    let layout = try LlamaLayout(config)
    var writer = try CheckpointWriter(
        directory, tensors: layout.tensors, maximumShardSize: maximumShardSize, replacing: replacing)
    for file in tokenizerFiles { try writer.copy(file.source, as: file.name) }
    try writeFile(writer.path(of: "generation_config.json"), generationConfig(config).utf8(.pretty) + [0x0A])
    for (done, tensor) in writer.tensors.enumerated() {
        progress(ProgressUpdate(stage: "writing tensors", completed: done, total: writer.tensors.count))
        try forEachBlock(of: tensor, threads: threads) { rows in
            initialBytes(of: tensor, rows: rows, deviation: layout.initializerRange, seed: seed)
        } write: {
            try writer.write($0)
        }
    }
    progress(ProgressUpdate(stage: "writing tensors", completed: writer.tensors.count, total: writer.tensors.count))
    try writer.finish(config: config.json, manifest: manifest)
}

/// As transformers derives it from a model's config.
private func generationConfig(_ config: ModelConfig) -> JSONValue {
    [
        "_from_model_config": true,
        "bos_token_id": config["bos_token_id"] ?? .null,
        "eos_token_id": config["eos_token_id"] ?? .null,
        "pad_token_id": config["pad_token_id"] ?? .null,
        "use_cache": true,
    ]
}

/// Makes a tensor's bytes block by block on several threads and writes them in order; memory holds a few blocks.
package func forEachBlock(
    of tensor: TensorPlan, threads: Int, make: @Sendable (Range<Int>) throws -> [UInt8],
    write: ([UInt8]) throws -> Void
) throws {
    let rows = tensor.shape.first ?? 1
    let columns = max(1, tensor.shape.dropFirst().reduce(1, *))
    // About a quarter of a million numbers to a block.
    let size = max(1, (1 << 18) / columns)
    let blocks = stride(from: 0, to: rows, by: size).map { $0..<min($0 + size, rows) }
    for first in stride(from: 0, to: blocks.count, by: threads) {
        let batch = Array(blocks[first..<min(first + threads, blocks.count)])
        for bytes in try concurrentMap(count: batch.count, threads: threads, { try make(batch[$0]) }) {
            try write(bytes)
        }
    }
}

private func initialBytes(of tensor: TensorPlan, rows: Range<Int>, deviation: Double, seed: UInt64) -> [UInt8] {
    let columns = tensor.shape.dropFirst().reduce(1, *)
    if tensor.shape.count == 1 {
        let value: Float = tensor.name.hasSuffix("norm.weight") ? 1 : 0
        return tensor.type.bytes(repeatElement(value, count: rows.count))
    }
    var values: [Float] = []
    values.reserveCapacity(rows.count * columns)
    for row in rows {
        var generator = NormalGenerator(seed: seed ^ nameHash(tensor.name), stream: UInt64(row))
        for _ in 0..<columns { values.append(Float(deviation * generator.next())) }
    }
    return tensor.type.bytes(values)
}

/// FNV-1a, so that each tensor has numbers of its own.
private func nameHash(_ name: String) -> UInt64 {
    name.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}
