import Collectives
import Foundation
import LlamaModels
import Partitioning

/// Texts that are tokenized and packed to measure models on, in files that are removed with `self`.
final class MeasuredTexts {
    private let sets: [HeldOutSet]
    private let batchSize: Int
    private let scratch: String

    /// - Parameter rows: The vocabulary of the model that is to be measured.
    /// - Throws: Errors that name the option or the text at fault.
    init(
        _ texts: [NamedText], _ documents: TextDivision, tokenizer: TrainingTokenizer, rows: Int, blockSize: Int,
        batchSize: Int, threads: Int
    ) throws {
        self.batchSize = batchSize
        let scratch = FileManager.default.temporaryDirectory.path + "/kuoci-evaluate-" + UUID().uuidString
        self.scratch = scratch
        let caches = TokenCacheDirectory(scratch, tokenizer: tokenizer, threads: threads, observer: RunObserver())
        sets = try texts.map { text in
            let cache = try caches.tokens(of: TextSource(text.paths, documents), named: text.name).trained
            let blocks = PackedBlocks(cache, blockSize: blockSize, padding: tokenizer.endID, rows: rows)
            return HeldOutSet(name: text.name, blocks: blocks)
        }
    }

    deinit { try? FileManager.default.removeItem(atPath: scratch) }

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

/// - Throws: `PretrainingError.badOption` for a size that cannot be.
func checkSizes(blockSize: Int, batchSize: Int, threads: Int) throws {
    for (name, value) in [("--block-size", blockSize), ("--batch-size", batchSize), ("--threads", threads)] {
        guard (1...1 << 20).contains(value) else {
            throw PretrainingError.badOption(name: name, value: "\(value)", need: "must be 1 to 1048576")
        }
    }
}
