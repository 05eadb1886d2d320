public import CheckpointResizing
import Checkpoints
import Foundation
import LlamaModels
public import Partitioning
public import Torch

/// Measures how well a checkpoint predicts texts with new rows, before any training, for ways in which they can start.
///
/// The checkpoint stays as it is: new rows are made in memory, and only the two matrices are copied.
public final class StartComparison {
    /// What came of one way.
    public struct Result: Sendable {
        public let starts: RowStarts
        /// One for each text.
        public let evaluations: [Evaluation]
        /// What making the rows and measuring took.
        public let rowSeconds: Double
        public let seconds: Double

        /// Of all texts together.
        public var bitsPerByte: Double { Pretraining.bitsPerByte(of: evaluations) }
    }

    private let resizer: VocabularyResizer
    private let model: LlamaModel
    private let texts: MeasuredTexts
    /// How well the checkpoint predicts each text with its own tokenizer, without new rows.
    public let before: [Evaluation]

    /// - Parameters:
    ///   - resizer: The checkpoint and the tokenizers.
    ///   - old: The checkpoint's own tokenizer, to measure what it does without new rows.
    /// - Throws: Errors that name the file at fault: model, tokenizer or text.
    public init(
        _ resizer: VocabularyResizer, old: TrainingTokenizer, new: TrainingTokenizer, texts: [NamedText],
        documents: TextDivision = .lines, blockSize: Int, batchSize: Int, threads: Int,
        computation: Computation = .standard, progress: ProgressHandler
    ) throws {
        try checkSizes(blockSize: blockSize, batchSize: batchSize, threads: threads)
        try TorchRuntime.prepare(threads: threads, computation)
        self.resizer = resizer
        model = try LlamaModel(directory: resizer.checkpoint.directory, computation: computation)
        try old.check(model, path: resizer.checkpoint.directory)
        func measured(_ tokenizer: TrainingTokenizer, _ rows: Int) throws -> MeasuredTexts {
            try MeasuredTexts(
                texts, documents, tokenizer: tokenizer, rows: rows, blockSize: blockSize, batchSize: batchSize,
                threads: threads)
        }
        self.texts = try measured(new, resizer.entries)
        before = try measured(old, resizer.oldEntries).evaluate(model, progress: progress)
    }

    /// Measures the checkpoint with new rows that start in this way.
    ///
    /// - Parameter starts: with the resizer's texts.
    public func measure(_ starts: RowStarts, progress: ProgressHandler) throws -> Result {
        let clock = ContinuousClock()
        let beginning = clock.now
        let rows = try resizer.newRowBytes(starts)
        let made = clock.now
        try model.appendRows(
            input: rows[TensorNames.embedding] ?? [],
            head: model.configuration.tiesWordEmbeddings ? nil : rows[TensorNames.head])
        let evaluations = try texts.evaluate(model, progress: progress)
        return Result(
            starts: starts, evaluations: evaluations, rowSeconds: seconds(made - beginning),
            seconds: seconds(clock.now - beginning))
    }
}

private func seconds(_ duration: Duration) -> Double {
    Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

/// Bits per byte of several texts together.
public func bitsPerByte(of evaluations: [Evaluation]) -> Double {
    let bytes = evaluations.reduce(0) { $0 + $1.textBytes }
    return evaluations.reduce(0) { $0 + $1.lossSum } / log(2) / Double(bytes)
}
