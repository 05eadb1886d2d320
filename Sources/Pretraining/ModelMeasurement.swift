import Checkpoints
import FileIO
import LlamaModels
public import Partitioning
import Safetensors
public import Torch

/// A checkpoint, with an adapter if one is named, ready to be measured on texts.
public final class ModelMeasurement {
    private let model: LlamaModel
    private let texts: MeasuredTexts

    /// - Throws: errors that name the file at fault: model, adapter, tokenizer or text.
    public init(
        model path: String, adapter: String?, tokenizer: TrainingTokenizer, texts: [NamedText],
        documents: TextDivision = .lines, blockSize: Int, batchSize: Int, threads: Int,
        computation: Computation = .standard
    ) throws {
        try checkSizes(blockSize: blockSize, batchSize: batchSize, threads: threads)
        try TorchRuntime.prepare(threads: threads, computation)
        let model = try LlamaModel(directory: path, computation: computation)
        self.model = model
        try tokenizer.check(model, path: path)
        if let adapter { try apply(adapter: adapter, to: model, of: path) }
        self.texts = try MeasuredTexts(
            texts, documents, tokenizer: tokenizer, rows: model.configuration.vocabularySize, blockSize: blockSize,
            batchSize: batchSize, threads: threads)
    }

    /// Tokens in a block that the model was made for, where it says so.
    public var positionLimit: Int? { model.configuration.positionLimit }

    /// Measures every text, in the order in which they were named.
    public func evaluate(progress: ProgressHandler) throws -> [Evaluation] {
        try texts.evaluate(model, progress: progress)
    }

    /// Writes the first block of the first text, [1, T], and its logits, [1, T, V].
    public func writeLogits(_ path: String) throws {
        guard let (row, blockSize) = try texts.firstBlock else { return }
        let batch = TokenBatch([row], blockSize)
        func ids(_ values: [Int32]) throws -> Tensor {
            try Tensor(ids: values.map { Int64($0) }, shape: [1, values.count])
        }
        try writeTensors(
            path,
            [
                ("tokens", try ids(row.tokens)), ("positions", try ids(row.positions)),
                ("documents", try ids(row.documents)), ("logits", try model.logits(batch)),
            ])
    }
}

extension TrainingTokenizer {
    /// - Throws: `TrainingDataError.vocabularyTooLarge` if the model lacks rows.
    func check(_ model: LlamaModel, path: String) throws(TrainingDataError) {
        let rows = model.configuration.vocabularySize
        guard pieceCount <= rows else {
            throw .vocabularyTooLarge(tokenizer: self.path, pieces: pieceCount, model: path, rows: rows)
        }
    }
}

/// Puts the tensors of the adapter in a directory on the model that was read from the checkpoint `path`.
///
/// - Throws: what `kuoci export` would throw of the two, and `TrainingDataError.unfitAdapter` for a tensor that the model
///   has no place for beside its weights.
func apply(adapter directory: String, to model: LlamaModel, of path: String) throws {
    let adapter = try AdapterFolding(base: Checkpoint(directory: path), adapter: Adapter(directory: directory)).adapter
    let rank = adapter.config.rank
    try model.prepareTraining(
        .lora(
            LoRAConfiguration(
                rank: rank, alpha: adapter.config.scaling * Double(rank), dropout: 0, targets: try targets(of: adapter))
        ),
        seed: 0)
    let parameters = Dictionary(
        model.trainableParameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let used = adapter.updates.values.flatMap { [$0.a, $0.b] } + adapter.replacements.values
    for info in used.sorted(by: { $0.name < $1.name }) {
        guard let parameter = parameters[info.name], parameter.shape == info.shape,
            let saved = try adapter.file.tensor(info.name)
        else { throw misplaced(info.name, in: adapter) }
        try parameter.assign(saved)
    }
}

/// The projections that an adapter's tensors belong to, whatever its config calls them: a list, a pattern, `all-linear`.
private func targets(of adapter: Adapter) throws -> [LoRATarget] {
    let found = try adapter.updates.keys.sorted().map { name in
        let parts = name.split(separator: ".")
        guard parts.count > 1, let target = LoRATarget(rawValue: String(parts[parts.count - 2])) else {
            throw misplaced(name, in: adapter)
        }
        return target
    }
    return LoRATarget.allCases.filter(found.contains)
}

private func misplaced(_ name: String, in adapter: Adapter) -> TrainingDataError {
    .unfitAdapter(
        path: adapter.directory,
        reason: "changes \(name), which is read into no model as it stands; fold it in with `kuoci export` and give"
            + " what that writes")
}
