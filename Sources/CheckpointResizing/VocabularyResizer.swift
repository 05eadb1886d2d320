public import Checkpoints
public import Partitioning
import Safetensors
public import VocabularyMerging

/// Gives a checkpoint's input embedding and LM head the rows of another vocabulary.
///
/// Old rows and all other tensors keep their bits; every key of config.json but `vocab_size`, and the ids where they
/// moved, keeps its value.
public struct VocabularyResizer {
    public let checkpoint: Checkpoint
    /// Which row goes where.
    public let rows: RowPlan
    /// Where the ids moved; nil where they stay.
    public let idMap: IDMap?
    /// How new rows start.
    public let starts: RowStarts
    /// The entries of both tokenizers, which some starts look at.
    public let pieces: TokenizerPair?
    let threads: Int
    private let sources: RowSources
    /// The matrices that change: the embedding and, unless tied, the LM head.
    public let matrixNames: [String]
    /// Deals all tensors out anew to files of at most so many bytes; nil leaves the files as they were.
    public var maximumShardSize: Int?

    /// - Parameters:
    ///   - entries: Entries of the new tokenizer's model.
    ///   - addedEntries: Entries after those, of tokens that are added beside the model.
    ///   - tokenizer: The new tokenizer's path, for messages.
    ///   - oldEntries: Entries of the old tokenizer, where that is known to be another number than the rows.
    ///   - idMapPath: Where the map was read, for messages.
    ///   - multiple: What the new number of rows is to be a multiple of.
    ///   - pieces: The tokenizers; only starts that look at no pieces can do without.
    ///   - threads: To make new rows on; no byte depends on their number.
    /// - Throws: `ResizingError` if the numbers do not fit together, `CheckpointError.foreignFamily` and others for a
    ///   checkpoint that is not whole.
    public init(
        _ checkpoint: Checkpoint, entries: Int, addedEntries: Int = 0, tokenizer: String, oldEntries: Int? = nil,
        idMap: IDMap? = nil, idMapPath: String = "the id map", multiple: Int = 1, starts: RowStarts,
        pieces: TokenizerPair? = nil, threads: Int = availableProcessors
    ) throws {
        try checkpoint.config.requireLlamaFamily()
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let vocabularySize = try checkpoint.config.vocabularySize
        guard rows == vocabularySize else {
            throw ResizingError.rowsDisagree(
                path: checkpoint.config.path, tensor: TensorNames.embedding, rows: rows, vocabularySize: vocabularySize)
        }
        matrixNames = try matricesToResize(checkpoint)
        try checkShapes(of: checkpoint)
        let known = oldEntries ?? rows
        if let idMap {
            try checkSizes(of: idMap, at: idMapPath, new: (entries, tokenizer), old: (known, checkpoint.directory))
            self.rows = try RowPlan(oldRows: rows, map: idMap, addedEntries: addedEntries, multiple: multiple)
        } else {
            let entries = entries + addedEntries
            if entries < known {
                throw ResizingError.fewerEntries(
                    tokenizer: tokenizer, entries: entries, model: checkpoint.directory, old: known)
            }
            self.rows = try RowPlan(oldRows: rows, oldEntries: known, entries: entries, multiple: multiple)
        }
        if self.rows.newRows == rows, self.rows.freshRows == 0, self.rows.kept == [RowRun(old: 0..<rows, new: 0)] {
            throw ResizingError.nothingToAdd(
                tokenizer: tokenizer, entries: self.rows.entries, model: checkpoint.directory, rows: rows)
        }
        self.checkpoint = checkpoint
        self.idMap = idMap
        self.starts = starts
        self.pieces = pieces
        self.threads = threads
        let first = self.rows.fresh.first?.lowerBound ?? 0
        sources = RowSources(
            pieces, ids: first..<(self.rows.fresh.last?.upperBound ?? first), texts: starts.texts, threads: threads)
        try check(starts)
    }

    /// Rows before and after.
    public var oldEntries: Int { rows.oldRows }
    public var entries: Int { rows.newRows }

    /// - Throws: `ResizingError` for starts that lack what they are made from, or that a tied model cannot have.
    private func check(_ starts: RowStarts) throws {
        for start in starts.both where start.needsPieces && pieces == nil {
            throw ResizingError.noOldTokenizer(directory: checkpoint.directory, initialization: start)
        }
        if starts.both.contains(.neighbours), starts.texts.isEmpty { throw ResizingError.noTexts }
        if try checkpoint.config.tiesWordEmbeddings, starts.input != starts.head {
            throw ResizingError.tiedButTwoStarts(directory: checkpoint.directory)
        }
    }

    /// The first row that is new since the vocabulary was first resized, of this resize or, where it only moves rows, of
    /// the one before; nil where old rows come after new ones.
    public func firstNewRow() throws -> Int? {
        if rows.fresh.contains(where: { $0.lowerBound < rows.entries }) { return rows.firstFreshRow }
        // A kuoci.json that says nothing of use is as good as none.
        guard let before = try? checkpoint.config.entriesBeforeResizing() else { return nil }
        let places = rows.kept.flatMap { run in zip(run.old, run.newRows).map { (old: $0, new: $1) } }
        let first = places.filter { $0.old < before }.map(\.new).max().map { $0 + 1 } ?? 0
        let isDivided = places.allSatisfy { $0.old < before || $0.new >= first }
        return isDivided && first > 0 && first < rows.newRows ? first : nil
    }

    /// The bytes of the new rows of each matrix that grows, by its name, in its type: what `write` appends.
    ///
    /// - Parameter starts: other ones than the resizer's own, but with its texts.
    /// - Throws: `ResizingError`, also where new rows do not all come after the old ones; what reading texts throws.
    public func newRowBytes(_ starts: RowStarts) throws -> [String: [UInt8]] {
        try check(starts)
        guard rows.kept == [RowRun(old: 0..<rows.oldRows, new: 0)] else {
            throw ResizingError.notAppended(directory: checkpoint.directory)
        }
        return try newRows(starts).mapValues { new in
            var bytes: [UInt8] = []
            for range in rows.fresh { try new.forEachBlock(of: range, threads: threads) { bytes += $0 } }
            return bytes
        }
    }

    func newRows(_ starts: RowStarts) throws -> [String: NewRows] {
        let isTied = try checkpoint.config.tiesWordEmbeddings
        var result: [String: NewRows] = [:]
        for name in matrixNames where rows.freshRows > 0 {
            let old = OldRows(matrix: try checkpoint.matrix(name), file: try checkpoint.shard(of: name))
            result[name] = try sources.rows(old, isTied ? .both : name == TensorNames.head ? .head : .input, starts)
        }
        return result
    }
}
