import Collectives
public import FileIO
import Foundation
import LlamaModels
public import OrderedJSON
import Torch

/// Documents that are measured and never trained on.
struct HeldOutSet {
    let name: String
    let blocks: PackedBlocks
}

/// How well a model predicts a text.
public struct Evaluation: Sendable, Equatable {
    public var name: String
    /// Sum over all targets, in nats.
    public var lossSum: Double
    /// Ids predicted: those of the text and an end piece for each document.
    public var targets: Int
    /// Bytes of the documents, line ends not counted.
    public var textBytes: Int

    /// Nats per target.
    public var loss: Double { lossSum / Double(targets) }
    public var perplexity: Double { exp(loss) }
    /// Comparable between vocabularies, unlike the loss of a target.
    public var bitsPerByte: Double { lossSum / log(2) / Double(textBytes) }

    public var json: JSONValue {
        [
            "set": .string(name), "loss": .double(loss), "perplexity": .double(perplexity),
            "bits_per_byte": .double(bitsPerByte), "targets": .integer(targets), "bytes": .integer(textBytes),
        ]
    }
}

/// What an evaluation shows to be wrong with a model.
public enum EvaluationError: BadDataError, Equatable {
    /// The loss on the text of this name is NaN or infinity.
    case notFinite(model: String, text: String)

    public var description: String {
        switch self {
        case .notFinite(let model, let text):
            "\(model): its loss on text \(text) is not a finite number, probably for NaN or infinity in its weights;"
                + " look for them, or train with a lower rate"
        }
    }
}

extension [Evaluation] {
    /// - Parameter model: What the message calls the model.
    /// - Throws: `EvaluationError.notFinite` for the first text whose loss is no number.
    public func checkFinite(model: String) throws(EvaluationError) {
        for evaluation in self where !evaluation.lossSum.isFinite {
            throw .notFinite(model: model, text: evaluation.name)
        }
    }
}

/// Measures a model on a whole packed text, each process on its share; the sum is that of one process, bit for bit.
///
/// - Parameter progress: Told how many blocks are done, as far as one process can tell.
func evaluate(
    _ model: LlamaModel, _ set: HeldOutSet, batchSize: Int, ranks: Collectives, isStopped: () -> Bool,
    progress: (Int) -> Void
) throws -> Evaluation {
    let blocks = set.blocks
    let starts = Array(stride(from: 0, to: blocks.blockCount, by: batchSize))
    var losses = [Double](repeating: 0, count: starts.count)
    var done = 0
    for number in ranks.share(of: starts.count) {
        if isStopped() { throw StopRequest() }
        let start = starts[number]
        let rows = try (start..<min(start + batchSize, blocks.blockCount)).map { try blocks.row($0) }
        let batch = TokenBatch(rows, blocks.blockSize)
        losses[number] = Double(try withoutGradients { try model.lossSum(batch, training: false).scalar() })
        done += rows.count
        progress(min(done * ranks.count, blocks.blockCount))
    }
    let counts = blocks.cache.counts
    let sum = try ranks.sum(losses).reduce(0, +)
    return Evaluation(name: set.name, lossSum: sum, targets: counts.targets, textBytes: counts.textBytes)
}
