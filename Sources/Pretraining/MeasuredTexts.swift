import Collectives
import FileIO
import Foundation
import LlamaModels
import Partitioning
import Torch

/// Texts that are tokenized and packed to measure models on, in files that are removed with `self`.
final class MeasuredTexts {
    private let sets: [HeldOutSet]
    private let batchSize: Int
    /// Never given its name, so that it goes with `self`, with an error of `init`, and with a signal.
    private let scratch: OutputDirectory

    /// - Parameters:
    ///   - rows: The vocabulary of the model that is to be measured.
    ///   - place: The directory that the files are in meanwhile.
    /// - Throws: Errors that name the option or the text at fault.
    init(
        _ texts: [NamedText], _ documents: TextDivision, tokenizer: TrainingTokenizer, rows: Int, blockSize: Int,
        batchSize: Int, threads: Int, in place: String = FileManager.default.temporaryDirectory.path
    ) throws {
        self.batchSize = batchSize
        scratch = try OutputDirectory(place + "/kuoci-evaluate-" + UUID().uuidString, replacing: false)
        let caches = TokenCacheDirectory(
            scratch.stagingPath, tokenizer: tokenizer, threads: threads, observer: RunObserver())
        sets = try texts.map { text in
            let cache = try caches.tokens(of: TextSource(text.paths, documents), named: text.name).trained
            let blocks = PackedBlocks(cache, blockSize: blockSize, padding: tokenizer.endID, rows: rows)
            return HeldOutSet(name: text.name, blocks: blocks)
        }
    }

    /// The first block of the first text.
    var firstBlock: (row: PackedBlocks.Row, blockSize: Int)? {
        get throws { try sets.first.map { (try $0.blocks.row(0), $0.blocks.blockSize) } }
    }

    /// Measures every text, in the order in which they were named.
    func evaluate(_ model: LlamaModel, progress: ProgressHandler) throws -> [Evaluation] {
        try sets.map { set in
            try Pretraining.evaluate(model, set, batchSize: batchSize, ranks: Collectives(), isStopped: { false }) {
                progress(.init(stage: "measuring \(set.name), blocks", completed: $0, total: set.blocks.blockCount))
            }
        }
    }
}

/// - Throws: `PretrainingError.badOption` for a size, or a number of threads, that cannot be.
public func checkSizes(blockSize: Int, batchSize: Int, threads: Int = 1) throws(PretrainingError) {
    let sizes = 1...1 << 20
    for (name, value, range) in [
        ("--block-size", blockSize, sizes), ("--batch-size", batchSize, sizes),
        ("--threads", threads, TorchRuntime.threadCounts),
    ] where !range.contains(value) {
        throw .badOption(name: name, value: "\(value)", need: "must be \(range.lowerBound) to \(range.upperBound)")
    }
}
