import Checkpoints
import Collectives
import FileIO
import Foundation
import LlamaModels
public import Partitioning
import Safetensors
public import Torch

/// A checkpoint, with an adapter if one is named, ready to be measured on texts.
public final class ModelMeasurement {
    private let model: LlamaModel
    private let sets: [HeldOutSet]
    private let batchSize: Int
    /// Token caches of the texts; removed with `self`.
    private let scratch: String

    /// - Throws: errors that name the file at fault: model, adapter, tokenizer or text.
    public init(
        model path: String, adapter: String?, tokenizer: TrainingTokenizer, texts: [NamedText],
        documents: TextDivision = .lines, blockSize: Int, batchSize: Int, threads: Int,
        computation: Computation = .standard
    ) throws {
        for (name, value) in [("--block-size", blockSize), ("--batch-size", batchSize), ("--threads", threads)] {
            guard (1...1 << 20).contains(value) else {
                throw PretrainingError.badOption(name: name, value: "\(value)", need: "must be 1 to 1048576")
            }
        }
        self.batchSize = batchSize
        try TorchRuntime.prepare(threads: threads, computation)
        let model = try LlamaModel(directory: path, computation: computation)
        self.model = model
        try tokenizer.check(model, path: path)
        if let adapter { try apply(Adapter(directory: adapter), to: model) }
        let scratch = FileManager.default.temporaryDirectory.path + "/kuoci-evaluate-" + UUID().uuidString
        self.scratch = scratch
        let caches = TokenCacheDirectory(scratch, tokenizer: tokenizer, threads: threads, observer: RunObserver())
        sets = try texts.map { text in
            let cache = try caches.tokens(of: TextSource(text.paths, documents), named: text.name).trained
            let blocks = PackedBlocks(
                cache, blockSize: blockSize, padding: tokenizer.endID, rows: model.configuration.vocabularySize)
            return HeldOutSet(name: text.name, blocks: blocks)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: scratch) }

    /// Measures every text, in the order in which they were named.
    public func evaluate(progress: ProgressHandler) throws -> [Evaluation] {
        try sets.map { set in
            try Pretraining.evaluate(model, set, batchSize: batchSize, ranks: Collectives(), isStopped: { false }) {
                progress(.init(stage: "measuring \(set.name), blocks", completed: $0, total: set.blocks.blockCount))
            }
        }
    }

    /// Writes the first block of the first text, [1, T], and its logits, [1, T, V].
    public func writeLogits(_ path: String) throws {
        guard let set = sets.first else { return }
        let row = try set.blocks.row(0)
        let batch = TokenBatch([row], set.blocks.blockSize)
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

/// Puts an adapter's tensors on a model; one that the model has no place for is refused.
func apply(_ adapter: Adapter, to model: LlamaModel) throws {
    let targets = try adapter.config.targetModules.map { name in
        guard let target = LoRATarget(rawValue: name) else {
            throw TrainingDataError.unfitAdapter(
                path: adapter.directory, reason: "adapts \(name), which is no projection")
        }
        return target
    }
    let rank = adapter.config.rank
    try model.prepareTraining(
        .lora(
            LoRAConfiguration(
                rank: rank, alpha: adapter.config.scaling * Double(rank), dropout: 0, targets: targets)),
        seed: 0)
    let parameters = Dictionary(
        model.trainableParameters.map { ($0.name, $0.tensor) }, uniquingKeysWith: { first, _ in first })
    let used = adapter.updates.values.flatMap { [$0.a, $0.b] } + adapter.replacements.values
    for info in used.sorted(by: { $0.name < $1.name }) {
        guard let parameter = parameters[info.name], parameter.shape == info.shape,
            let saved = try adapter.file.tensor(info.name)
        else {
            throw TrainingDataError.unfitAdapter(
                path: adapter.directory, reason: "the model has no \(info.name) of shape \(info.shape)")
        }
        try parameter.assign(saved)
    }
}
