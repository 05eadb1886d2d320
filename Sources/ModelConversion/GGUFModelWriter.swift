public import Checkpoints
import GGUF
public import Partitioning
import Safetensors

/// Writes a checkpoint of the LLaMA family as one GGUF file for llama.cpp: its tensors, sizes and vocabulary, by the names
/// of llama.cpp's own converter.
public struct GGUFModelWriter: Sendable {
    public let checkpoint: Checkpoint
    public let type: GGUFModelType
    /// What the file cannot say of the checkpoint, a line each.
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
        differences = llama.leftOut + tokens.differences
        parameterCount = tensors.reduce(0) { $0 + $1.plan.shape.reduce(1, *) }
        self.checkpoint = checkpoint
    }

    /// Writes the file in a stream; the bytes do not depend on the number of threads.
    ///
    /// - Parameter name: `general.name`.
    public func write(
        to path: String, name: String, threads: Int = availableProcessors, progress: ProgressHandler = { _ in }
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
        try writer.finish()
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
        throw SafetensorsError.notFloats(tensor: embedding.name, type: embedding.type)
    }
    return type
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
            throw SafetensorsError.notFloats(tensor: source.name, type: source.type)
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
