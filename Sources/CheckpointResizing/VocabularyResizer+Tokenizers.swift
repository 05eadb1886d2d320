public import Checkpoints
import Foundation
public import Partitioning
import PieceModel
import Safetensors
public import Tokenizers
public import VocabularyMerging

extension VocabularyResizer {
    /// Resizes a checkpoint to another tokenizer.
    ///
    /// Where the model's directory has a tokenizer.model, its entries must be the first ones of `tokenizer`, or those
    /// that `idMap` says; a start that looks at pieces cannot do without it. Of rows that it has no entries for, as padded models have
    /// them, new entries take the first; entries that it has no rows for are new.
    public init(
        _ checkpoint: Checkpoint, to tokenizer: Tokenizer, idMap: IDMap? = nil, multiple: Int = 1, starts: RowStarts,
        threads: Int = availableProcessors
    ) throws {
        try checkpoint.config.requireLlamaFamily()
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let oldPath = checkpoint.directory + "/tokenizer.model"
        var pair: TokenizerPair?
        var oldEntries: Int?
        if FileManager.default.fileExists(atPath: oldPath) {
            let old = try Tokenizer(contentsOf: oldPath)
            oldEntries = old.count
            if idMap == nil, tokenizer.count < old.count {
                throw ResizingError.fewerEntries(
                    tokenizer: tokenizer.model.path, entries: tokenizer.count, model: checkpoint.directory,
                    old: old.count)
            }
            pair = try TokenizerPair(old: old, new: tokenizer, idMap: idMap, rows: rows)
        }
        try self.init(
            checkpoint, entries: tokenizer.count, tokenizer: tokenizer.model.path, oldEntries: oldEntries,
            idMap: idMap, multiple: multiple, starts: starts, pieces: pair, threads: threads)
    }
}
