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
    /// that `idMap` says; a start that looks at pieces cannot do without it. Of rows that it has no entries for, as padded
    /// models have them, new entries take the first; entries that it has no rows for are new. Rows of tokens that are added
    /// beside it are no padding: they stay where `tokenizer` has the same token, or go where the map says.
    ///
    /// - Parameters:
    ///   - files: The new tokenizer's files, with the names they are to have: tokens that they add to its model get rows,
    ///     too.
    ///   - idMapPath: Where the map was read, for messages.
    /// - Throws: `ResizingError.addedToken` if the row of an added token would be lost.
    public init(
        _ checkpoint: Checkpoint, to tokenizer: Tokenizer, files: [(source: String, name: String)] = [],
        idMap: IDMap? = nil, idMapPath: String = "the id map", multiple: Int = 1, starts: RowStarts,
        threads: Int = availableProcessors
    ) throws {
        try checkpoint.config.requireLlamaFamily()
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let added = try AddedTokenTable(files)
        let oldPath = checkpoint.directory + "/tokenizer.model"
        var pair: TokenizerPair?
        var oldEntries: Int?
        if FileManager.default.fileExists(atPath: oldPath) {
            let old = try Tokenizer(contentsOf: oldPath)
            if idMap == nil, tokenizer.count < old.count {
                throw ResizingError.fewerEntries(
                    tokenizer: tokenizer.model.path, entries: tokenizer.count, model: checkpoint.directory,
                    old: old.count)
            }
            pair = try TokenizerPair(old: old, new: tokenizer, idMap: idMap, rows: rows)
            oldEntries = try entriesWithRows(old, of: checkpoint, rows: rows, to: tokenizer, added, idMap)
        }
        try self.init(
            checkpoint, entries: tokenizer.count, addedEntries: max(0, added.rows - tokenizer.count),
            tokenizer: tokenizer.model.path, oldEntries: oldEntries, idMap: idMap, idMapPath: idMapPath,
            multiple: multiple, starts: starts, pieces: pair, threads: threads)
    }
}

/// The entries of a checkpoint's own tokenizer, with the tokens added beside its model that the checkpoint has rows for.
///
/// - Throws: `ResizingError.addedToken` for one that the map has no place for, or that without a map does not stand right
///   after the entries, or is another one in the new tokenizer.
private func entriesWithRows(
    _ old: Tokenizer, of checkpoint: Checkpoint, rows: Int, to new: Tokenizer, _ newAdded: AddedTokenTable,
    _ map: IDMap?
) throws -> Int {
    let directory = checkpoint.directory
    let added = try AddedTokenTable(checkpoint.tokenizerFiles.map { ("\(directory)/\($0)", $0) }).tokens
    var entries = old.count
    for (id, token) in added.sorted(by: { $0.key < $1.key }) where id >= old.count && id < rows {
        let text = id < new.count ? new.vocabulary.text(of: PieceID(id)) : newAdded.tokens[id]?.text
        guard map.map({ id < $0.newIDs.count }) ?? (id == entries && text == token.text) else {
            throw ResizingError.addedToken(path: token.path, token: token.text, id: id, tokenizer: new.model.path)
        }
        entries = id + 1
    }
    return entries
}
