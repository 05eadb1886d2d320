public import Checkpoints
public import GGUF
import OrderedJSON
public import Partitioning
public import Provenance
public import Safetensors
import TokenizerFormats
import Tokenizers

/// Reads a GGUF file of the LLaMA family as a checkpoint in Hugging Face layout, its tokenizer beside it.
public struct GGUFModelReader: Sendable {
    public let file: GGUFFile
    public let config: ModelConfig
    /// The type of the checkpoint's matrices, and of all else that loses nothing by it.
    public let type: TensorType
    /// How many tensors came in blocks of whole numbers, by the name of their type.
    public let dequantized: [String: Int]
    private let tokenizer: Tokenizer
    private let settings: TokenizerSettings
    private let tensors: [ReadTensor]

    /// - Parameter type: float32, float16 or bfloat16; nil for that of the file's matrices, and float32 if these are
    ///   quantized.
    /// - Throws: `FileError`, `GGUFError`, `ConversionError`, `TokenizerFormatError`, `CheckpointError`.
    public init(contentsOf path: String, type: TensorType? = nil) throws {
        let file = try GGUFFile(path)
        let model = try GGUFVocabulary.model(of: file.header)
        let settings = try TokenizerSettings(file.header)
        let type = type ?? file[TensorNaming.embedding]?.type.plain ?? .float32
        let keys = LlamaKeys(file: file)
        var config = try keys.config(type: type)
        try requireRows(of: file)
        tensors = try keys.renaming { [config] in try readTensors(of: file, config, as: type) }
        // Last, since of all this it takes the most time.
        let tokenizer = try Tokenizer(model.withoutPadding)
        for (key, id) in settings.ids(tokenizer) { config[key] = id }
        (self.config, self.settings) = (config, settings)
        let blocks = tensors.filter { $0.source.type.plain == nil }
        dequantized = Dictionary(blocks.map { ($0.source.type.name, 1) }, uniquingKeysWith: +)
        (self.file, self.tokenizer, self.type) = (file, tokenizer, type)
    }

    /// Numbers in all tensors.
    public var parameterCount: Int { tensors.reduce(0) { $0 + $1.plan.shape.reduce(1, *) } }

    /// Writes the checkpoint in a stream.
    ///
    /// - Throws: `FileError.alreadyExists` unless `replacing`.
    public func write(
        to directory: String, manifest: Manifest? = nil, replacing: Bool, threads: Int = availableProcessors,
        progress: ProgressHandler = { _ in }
    ) throws {
        var writer = try CheckpointWriter(directory, tensors: tensors.map(\.plan), replacing: replacing)
        let byName = Dictionary(uniqueKeysWithValues: tensors.map { ($0.plan.name, $0) })
        try settings.write(tokenizer, to: writer.directory)
        for (done, plan) in writer.tensors.enumerated() {
            progress(ProgressUpdate(stage: "converting tensors", completed: done, total: writer.tensors.count))
            guard let tensor = byName[plan.name] else { preconditionFailure("a tensor that was never planned") }
            try forEachBlock(of: plan, threads: threads) {
                try tensor.bytes(of: $0, in: file)
            } write: {
                try writer.write($0)
            }
        }
        progress(
            ProgressUpdate(stage: "converting tensors", completed: writer.tensors.count, total: writer.tensors.count))
        try writer.finish(config: config.json, manifest: manifest)
    }
}

/// One tensor of a GGUF file on its way into a checkpoint.
private struct ReadTensor: Sendable {
    var plan: TensorPlan
    let source: GGUFTensor
    let order: RowOrder

    /// Some rows as the checkpoint is to hold them.
    func bytes(of rows: Range<Int>, in file: GGUFFile) throws -> [UInt8] {
        let columns = source.shape.dropFirst().reduce(1, *)
        // Rows fill whole blocks, and a number of its own is a block.
        let rowSize = columns / source.type.block.count * source.type.block.bytes
        let sources = order.sources(of: rows)
        return try file.withChunk(of: source, sources.lowerBound * rowSize..<sources.upperBound * rowSize) { chunk in
            try order.withRows(rows, of: chunk, rowSize: rowSize) { try converted($0, path: file.path) }
        }
    }

    private func converted(_ bytes: UnsafeRawBufferPointer, path: String) throws -> [UInt8] {
        if source.type.plain == plan.type { return Array(bytes) }
        let numbers = numbers(bytes)
        // Plain numbers are kept whatever they are; of a block only a broken scale is none.
        guard source.type.plain != nil || numbers.allSatisfy(\.isFinite) else {
            throw ConversionError.notFinite(path: path, tensor: source.name)
        }
        guard let converted = encode(numbers, as: plan.type) else {
            throw ConversionError.outOfRange(path: path, tensor: source.name, type: plan.type.rawValue)
        }
        return converted
    }

    func numbers(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        source.type.plain?.floats(bytes) ?? source.type.dequantize(bytes)
    }
}

/// - Throws: `ConversionError.wrongShape` for an embedding with fewer rows than the vocabulary has entries.
private func requireRows(of file: GGUFFile) throws {
    guard case .strings(let tokens)? = file.header.values["tokenizer.ggml.tokens"],
        let embedding = file[TensorNaming.embedding], embedding.shape[0] < tokens.count
    else { return }
    throw ConversionError.wrongShape(
        path: file.path, tensor: embedding.name, found: embedding.shape,
        expected: [tokens.count] + embedding.shape.dropFirst())
}

/// Exactly the tensors that the config calls for.
private func readTensors(of file: GGUFFile, _ config: ModelConfig, as type: TensorType) throws -> [ReadTensor] {
    let headWidth = try LlamaSizes(config).headWidth
    let layout = try LlamaLayout(config).tensors
    let known = Set(layout.compactMap { TensorNaming.ggufName(of: $0.name) })
    for tensor in file.tensors where !known.contains(tensor.name) {
        throw ConversionError.unexpectedTensor(path: file.path, tensor: tensor.name)
    }
    return try layout.map { planned in
        guard let name = TensorNaming.ggufName(of: planned.name), let source = file[name] else {
            throw ConversionError.noTensor(path: file.path, tensor: TensorNaming.ggufName(of: planned.name) ?? "")
        }
        guard source.shape == planned.shape else {
            throw ConversionError.wrongShape(
                path: file.path, tensor: name, found: source.shape, expected: planned.shape)
        }
        // Of norms and biases no writer makes blocks.
        guard source.type.plain != nil || source.type.isDequantizable && source.shape.count == 2 else {
            throw ConversionError.unsupported(path: file.path, what: "tensor \(name) of type \(source.type.name)")
        }
        var tensor = ReadTensor(
            plan: planned, source: source,
            order: RowOrder.order(of: planned.name, headWidth: headWidth, toGGUF: false))
        tensor.plan.type = type
        // Norms and biases are float32 there: they stay so if the checkpoint's type would lose anything.
        if planned.shape.count == 1, let own = source.type.plain, !survives(tensor, in: file) {
            tensor.plan.type = own
        }
        return tensor
    }
}

/// Whether every number of a tensor is the same in the type that it is to have.
private func survives(_ tensor: ReadTensor, in file: GGUFFile) -> Bool {
    file.withChunk(of: tensor.source, 0..<tensor.source.byteCount) { bytes in
        let numbers = tensor.numbers(bytes)
        guard let converted = encode(numbers, as: tensor.plan.type) else { return false }
        let back = converted.withUnsafeBytes { tensor.plan.type.floats($0) }
        return zip(numbers, back).allSatisfy { $0.bitPattern == $1.bitPattern }
    }
}
