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
    ///   - entries: Entries of the new tokenizer.
    ///   - tokenizer: The new tokenizer's path, for messages.
    ///   - oldEntries: Entries of the old tokenizer, where that is known to be another number than the rows.
    ///   - multiple: What the new number of rows is to be a multiple of.
    ///   - pieces: The tokenizers; only starts that look at no pieces can do without.
    ///   - threads: To make new rows on; no byte depends on their number.
    /// - Throws: `ResizingError` if the numbers do not fit together, `CheckpointError.foreignFamily`,
    ///   `SafetensorsError.notFloats`.
    public init(
        _ checkpoint: Checkpoint, entries: Int, tokenizer: String, oldEntries: Int? = nil, idMap: IDMap? = nil,
        multiple: Int = 1, starts: RowStarts, pieces: TokenizerPair? = nil, threads: Int = availableProcessors
    ) throws {
        try checkpoint.config.requireLlamaFamily()
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let vocabularySize = try checkpoint.config.vocabularySize
        guard rows == vocabularySize else {
            throw ResizingError.rowsDisagree(
                path: checkpoint.config.path, tensor: TensorNames.embedding, rows: rows, vocabularySize: vocabularySize)
        }
        matrixNames = try matricesToResize(checkpoint)
        if let idMap {
            try checkSizes(of: idMap, oldEntries: oldEntries, rows: rows, entries: entries, tokenizer: tokenizer)
            self.rows = try RowPlan(oldRows: rows, map: idMap, multiple: multiple)
        } else {
            let known = oldEntries ?? rows
            if entries < known {
                throw ResizingError.fewerEntries(
                    tokenizer: tokenizer, entries: entries, model: checkpoint.directory, old: known)
            }
            self.rows = try RowPlan(oldRows: rows, oldEntries: known, entries: entries, multiple: multiple)
        }
        if self.rows.newRows == rows, self.rows.freshRows == 0, self.rows.kept == [RowRun(old: 0..<rows, new: 0)] {
            throw ResizingError.nothingToAdd(
                tokenizer: tokenizer, entries: entries, model: checkpoint.directory, rows: rows)
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
        guard let before = try checkpoint.config.entriesBeforeResizing() else { return nil }
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
            for range in rows.fresh { new.forEachBlock(of: range, threads: threads) { bytes += $0 } }
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

private func checkSizes(
    of map: IDMap, oldEntries: Int?, rows: Int, entries: Int, tokenizer: String
) throws {
    guard map.newEntries == entries else {
        throw ResizingError.mapDisagrees(
            side: "new", mapped: map.newEntries, found: entries, path: tokenizer)
    }
    guard map.newIDs.count == oldEntries ?? rows else {
        throw ResizingError.mapDisagrees(
            side: "old", mapped: map.newIDs.count, found: oldEntries ?? rows, path: "the model's own tokenizer")
    }
}

/// The embedding and the LM head, as far as they are stored, after checking that they fit each other.
private func matricesToResize(_ checkpoint: Checkpoint) throws -> [String] {
    let embedding = try checkpoint.matrix(TensorNames.embedding)
    let isTied = try checkpoint.config.tiesWordEmbeddings
    guard let head = checkpoint[TensorNames.head] else {
        if !isTied { throw ResizingError.noHead(directory: checkpoint.directory) }
        return try floatingPoint([embedding])
    }
    guard head.shape == embedding.shape else {
        throw ResizingError.headDisagrees(
            path: try checkpoint.shard(of: head.name).path, embedding: embedding.shape, head: head.shape)
    }
    if isTied {
        let files = (try checkpoint.shard(of: head.name), try checkpoint.shard(of: embedding.name))
        let isSame =
            head.type == embedding.type
            && sameBytes((files.0, head, 0), (files.1, embedding, 0), count: head.byteCount)
        if !isSame { throw ResizingError.tiedButDifferent(directory: checkpoint.directory) }
    }
    return try floatingPoint([embedding, head])
}

private func floatingPoint(_ matrices: [TensorInfo]) throws -> [String] {
    for matrix in matrices where !matrix.type.isFloatingPoint {
        throw SafetensorsError.notFloats(tensor: matrix.name, type: matrix.type)
    }
    return matrices.map(\.name)
}
