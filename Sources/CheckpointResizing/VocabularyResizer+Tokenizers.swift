public import Checkpoints
import Foundation
public import Partitioning
import PieceModel
import Safetensors
public import Tokenizers

extension VocabularyResizer {
    /// Resizes a checkpoint to a tokenizer that extends the checkpoint's own.
    ///
    /// Where the model's directory has a tokenizer.model, its entries must be one for each row, and the first ones of
    /// `tokenizer`; a start that looks at pieces cannot do without it.
    public init(
        _ checkpoint: Checkpoint, to tokenizer: Tokenizer, starts: RowStarts, threads: Int = availableProcessors
    ) throws {
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let oldPath = checkpoint.directory + "/tokenizer.model"
        var pair: TokenizerPair?
        if FileManager.default.fileExists(atPath: oldPath) {
            let old = try Tokenizer(contentsOf: oldPath)
            guard old.count == rows else {
                throw ResizingError.oldTokenizerDisagrees(path: oldPath, entries: old.count, rows: rows)
            }
            pair = try TokenizerPair(old: old, new: tokenizer)
        }
        try self.init(
            checkpoint, entries: tokenizer.count, tokenizer: tokenizer.model.path, starts: starts, pieces: pair,
            threads: threads)
    }
}
