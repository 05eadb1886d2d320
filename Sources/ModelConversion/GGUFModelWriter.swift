public import Checkpoints
import GGUF
public import Partitioning
import Safetensors

/// Writes a checkpoint of the LLaMA family as one GGUF file for llama.cpp: its tensors, sizes and vocabulary, by the names
/// of llama.cpp's own converter.
public struct GGUFModelWriter: Sendable {
    public let checkpoint: Checkpoint
    public let type: GGUFModelType
    /// What the file cannot say of the checkpoint, or has otherwise than was asked for, a line each.
    public let differences: [String]
    /// Numbers in all tensors.
    public let parameterCount: Int
    private let llama: LlamaEntries
    private let tokens: ModelTokens
    private let tensors: [ConvertedTensor]

    /// - Parameter type: nil for the checkpoint's own.
    /// - Throws: `CheckpointError`, `ConversionError`, `TokenizerFormatError`, each naming the file that is at fault.
    public init(_ checkpoint: Checkpoint, type: GGUFModelType?) throws {
        llama = try LlamaEntries(checkpoint.config)
        tensors = try convertedTensors(of: checkpoint, llama.sizes, as: type)
        self.type = try type ?? ownType(of: checkpoint)
        tokens = try ModelTokens(checkpoint, rows: llama.sizes.vocabulary)
        differences = llama.leftOut + tokens.differences + unblocked(tensors.map(\.plan), self.type)
        parameterCount = tensors.reduce(0) { $0 + $1.plan.shape.reduce(1, *) }
        self.checkpoint = checkpoint
    }

    /// Writes the file in a stream; the bytes do not depend on the number of threads.
    ///
    /// - Parameters:
    ///   - name: `general.name`.
    ///   - replacing: Whether an older file is replaced.
    /// - Throws: `FileError.alreadyExists` unless `replacing`.
    public func write(
        to path: String, name: String, replacing: Bool = true, threads: Int = availableProcessors,
        progress: ProgressHandler = { _ in }
    ) throws {
        var entries = GGUFEntries()
        llama.add(to: &entries, name: name, type: type)
        tokens.add(to: &entries)
        var writer = try GGUFWriter(path, entries: entries, tensors: tensors.map(\.plan))
        for (done, tensor) in tensors.enumerated() {
            progress(ProgressUpdate(stage: "converting tensors", completed: done, total: tensors.count))
            try forEachBlock(of: TensorPlan(tensor.source), threads: threads, make: tensor.bytes) {
                try writer.write($0)
            }
        }
        progress(ProgressUpdate(stage: "converting tensors", completed: tensors.count, total: tensors.count))
        try writer.finish(replacing: replacing)
    }
}

/// One tensor of a checkpoint on its way into a GGUF file.
private struct ConvertedTensor: Sendable {
    let plan: GGUFTensorPlan
    let source: TensorInfo
    let file: SafetensorsFile
    let order: RowOrder

    /// Some rows as the file is to hold them.
    func bytes(of rows: Range<Int>) throws -> [UInt8] {
        let rowSize = source.shape.dropFirst().reduce(1, *) * source.type.bits / 8
        let sources = order.sources(of: rows)
        return try file.withChunk(of: source, sources.lowerBound * rowSize..<sources.upperBound * rowSize) { chunk in
            try order.withRows(rows, of: chunk, rowSize: rowSize, converted)
        }
    }

    private func converted(_ bytes: UnsafeRawBufferPointer) throws -> [UInt8] {
        if plan.type.plain == source.type { return Array(bytes) }
        guard let converted = encode(source.type.floats(bytes), as: plan.type) else {
            throw ConversionError.outOfRange(path: file.path, tensor: source.name, type: plan.type.name)
        }
        return converted
    }
}

private func ownType(of checkpoint: Checkpoint) throws -> GGUFModelType {
    let embedding = try checkpoint.matrix(TensorNames.embedding)
    guard let type = GGUFModelType(embedding.type) else {
        let path = try checkpoint.shard(of: embedding.name).path
        guard embedding.type.isFloatingPoint else { throw noNumbers(embedding, path: path) }
        throw ConversionError.typeNeeded(path: path, tensor: embedding.name, type: embedding.type.rawValue)
    }
    return type
}

private func noNumbers(_ tensor: TensorInfo, path: String) -> ConversionError {
    .unsupported(path: path, what: "tensor \(tensor.name) of type \(tensor.type.rawValue)")
}

/// Says how many matrices are not in the blocks that were asked for.
private func unblocked(_ tensors: [GGUFTensorPlan], _ type: GGUFModelType) -> [String] {
    let block = type.tensorType.block.count
    let matrices = tensors.filter { $0.shape.count > 1 }
    let others = matrices.count { $0.type == .f16 }
    guard block > 1, others > 0 else { return [] }
    return [
        "\(others) of \(matrices.count) matrices are f16, not \(type.rawValue): "
            + "their rows do not fill whole blocks of \(block) numbers"
    ]
}

/// Exactly the tensors that the config calls for, in the order of the model's parts.
private func convertedTensors(
    of checkpoint: Checkpoint, _ sizes: LlamaSizes, as type: GGUFModelType?
) throws -> [ConvertedTensor] {
    let type = try type ?? ownType(of: checkpoint)
    let isTied = try checkpoint.config.tiesWordEmbeddings
    let layout = try LlamaLayout(checkpoint.config).tensors
    let known = Set(layout.map(\.name) + (isTied ? [TensorNames.head] : []))
    for tensor in checkpoint.tensors where !known.contains(tensor.name) && !TensorNaming.isRedundant(tensor.name) {
        throw ConversionError.unexpectedTensor(path: try checkpoint.shard(of: tensor.name).path, tensor: tensor.name)
    }
    return try layout.map { planned in
        let (file, source) = (try checkpoint.shard(of: planned.name), try checkpoint.tensor(planned.name))
        guard source.shape == planned.shape else {
            throw ConversionError.wrongShape(
                path: file.path, tensor: source.name, found: source.shape, expected: planned.shape)
        }
        guard source.type.isFloatingPoint else {
            throw noNumbers(source, path: file.path)
        }
        guard let name = TensorNaming.ggufName(of: planned.name) else {
            preconditionFailure("the layout has a tensor without a name in GGUF: \(planned.name)")
        }
        let isHead = planned.name == (isTied ? TensorNames.embedding : TensorNames.head)
        return ConvertedTensor(
            plan: GGUFTensorPlan(
                name: name, type: type.type(ofShape: source.shape, isHead: isHead), shape: source.shape),
            source: source, file: file,
            order: RowOrder.order(of: planned.name, headWidth: sizes.headWidth, toGGUF: true))
    }
}
