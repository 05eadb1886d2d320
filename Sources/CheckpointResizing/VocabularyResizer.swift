public import Checkpoints
import OrderedJSON
public import Partitioning
public import Provenance
import Safetensors

/// Appends rows for new vocabulary entries to a checkpoint's input embedding and LM head.
///
/// Old rows and all other tensors keep their bits; every key of config.json but `vocab_size` keeps its value.
public struct VocabularyResizer {
    public let checkpoint: Checkpoint
    /// Entries of the new tokenizer.
    public let entries: Int
    /// How new rows start.
    public let starts: RowStarts
    /// The entries of both tokenizers, which some starts look at.
    public let pieces: TokenizerPair?
    private let threads: Int
    private let sources: RowSources
    /// The matrices that grow: the embedding and, unless tied, the LM head.
    public let matrixNames: [String]
    public let oldEntries: Int

    /// - Parameters:
    ///   - entries: The new number of rows.
    ///   - tokenizer: The new tokenizer's path, for messages.
    ///   - pieces: The tokenizers; only starts that look at no pieces can do without.
    ///   - threads: To make new rows on; no byte depends on their number.
    /// - Throws: `ResizingError` if the numbers do not fit together, `SafetensorsError.notFloats`.
    public init(
        _ checkpoint: Checkpoint, entries: Int, tokenizer: String, starts: RowStarts, pieces: TokenizerPair? = nil,
        threads: Int = availableProcessors
    ) throws {
        let rows = try checkpoint.matrix(TensorNames.embedding).shape[0]
        let vocabularySize = try checkpoint.config.vocabularySize
        guard rows == vocabularySize else {
            throw ResizingError.rowsDisagree(
                path: checkpoint.config.path, tensor: TensorNames.embedding, rows: rows, vocabularySize: vocabularySize)
        }
        matrixNames = try matricesToResize(checkpoint)
        guard entries > rows else {
            throw ResizingError.nothingToAdd(
                tokenizer: tokenizer, entries: entries, model: checkpoint.directory, rows: rows)
        }
        self.checkpoint = checkpoint
        self.entries = entries
        self.starts = starts
        self.pieces = pieces
        self.threads = threads
        oldEntries = rows
        sources = RowSources(pieces, ids: rows..<entries, texts: starts.texts, threads: threads)
        try check(starts)
    }

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

    /// Writes the resized checkpoint, with `tokenizerFiles` (names in `tokenizerDirectory`) in place of the old ones.
    ///
    /// - Throws: `FileError.alreadyExists` unless `replacing`; `ResizingError.verificationFailed` if what was written
    ///   is not what it should be. Nothing appears then.
    public func write(
        to directory: String, tokenizerFiles: [(source: String, name: String)], manifest: Manifest? = nil,
        replacing: Bool, progress: ProgressHandler = { _ in }
    ) throws {
        let rows = try newRows(starts)
        var writer = try CheckpointWriter(directory, shards: try plannedShards(), replacing: replacing)
        try writer.copy(try checkpoint.sideFiles, from: checkpoint.directory)
        for file in tokenizerFiles { try writer.copy(file.source, as: file.name) }
        for (done, tensor) in writer.tensors.enumerated() {
            progress(ProgressUpdate(stage: "writing tensors", completed: done, total: writer.tensors.count))
            let file = try checkpoint.shard(of: tensor.name)
            if let info = file[tensor.name] {
                try file.forEachChunk(of: info) { try writer.write(bytes: $0) }
            }
            if let rows = rows[tensor.name] {
                try rows.forEachBlock(of: oldEntries..<entries, threads: threads) { try writer.write($0) }
            }
        }
        progress(
            ProgressUpdate(stage: "writing tensors", completed: writer.tensors.count, total: writer.tensors.count))
        var config = checkpoint.config.json
        config["vocab_size"] = .integer(entries)
        try writer.finish(config: config, manifest: manifest) { try verify($0, progress: progress) }
    }

    /// The bytes of the new rows of each matrix that grows, by its name, in its type: what `write` appends.
    ///
    /// - Parameter starts: other ones than the resizer's own, but with its texts.
    /// - Throws: `ResizingError`, and what reading texts throws.
    public func newRowBytes(_ starts: RowStarts) throws -> [String: [UInt8]] {
        try check(starts)
        return try newRows(starts).mapValues { rows in
            var bytes: [UInt8] = []
            rows.forEachBlock(of: oldEntries..<entries, threads: threads) { bytes += $0 }
            return bytes
        }
    }

    private func newRows(_ starts: RowStarts) throws -> [String: NewRows] {
        let isTied = try checkpoint.config.tiesWordEmbeddings
        var rows: [String: NewRows] = [:]
        for name in matrixNames {
            let old = OldRows(matrix: try checkpoint.matrix(name), file: try checkpoint.shard(of: name))
            rows[name] = try sources.rows(old, isTied ? .both : name == TensorNames.head ? .head : .input, starts)
        }
        return rows
    }

    /// The shards as they were; those without a growing matrix are copied whole.
    private func plannedShards() throws -> [ShardPlan] {
        checkpoint.shards.map { shard in
            let plans = shard.tensors.map { tensor in
                var plan = TensorPlan(tensor)
                if matrixNames.contains(plan.name) { plan.shape[0] = entries }
                return plan
            }
            let grows = plans.contains { matrixNames.contains($0.name) }
            return ShardPlan(name: shard.name, tensors: plans, source: grows ? nil : shard.path)
        }
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
        let isSame =
            try head.type == embedding.type
            && sameBytes(
                (try checkpoint.shard(of: head.name), head), (try checkpoint.shard(of: embedding.name), embedding))
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
