import CFolding
import OrderedJSON
public import Partitioning
public import Provenance
import Safetensors

/// A checkpoint with a LoRA adapter folded in: `W + scaling * B·A`, and the adapter's own tensors in place of the base's.
///
/// The product is computed in `Float` in PEFT's order (product, scaling, sum) and rounded once to the base tensor's type.
public struct AdapterFolding: Sendable {
    public let base: Checkpoint
    public let adapter: Adapter
    /// Whether the result takes the input embedding for its LM head.
    public let tiesWordEmbeddings: Bool

    /// - Throws: `CheckpointError.unfit` if the adapter does not fit the base, naming the tensor.
    public init(base: Checkpoint, adapter: Adapter) throws {
        try checkUpdates(adapter, of: base)
        tiesWordEmbeddings = try staysTied(base, adapter)
        try checkReplacements(adapter, of: base)
        self.base = base
        self.adapter = adapter
    }

    /// Writes the result as a plain checkpoint.
    ///
    /// - Throws: `FileError.alreadyExists` unless `replacing`, `CheckpointError.unfit` for a result that is not finite.
    public func write(
        to directory: String, manifest: Manifest? = nil, replacing: Bool, threads: Int = availableProcessors,
        progress: ProgressHandler = { _ in }
    ) throws {
        var writer = try CheckpointWriter(directory, shards: try plannedShards(), replacing: replacing)
        try writer.copy(try base.sideFiles, from: base.directory)
        let tokenizer = try base.tokenizerFiles
        if tokenizer.isEmpty {
            try writer.copy(try tokenizerFilesIn(adapter.directory), from: adapter.directory)
        } else {
            try writer.copy(tokenizer, from: base.directory)
        }
        for (done, tensor) in writer.tensors.enumerated() {
            progress(ProgressUpdate(stage: "folding", completed: done, total: writer.tensors.count))
            try write(tensor, to: &writer, threads: threads)
        }
        progress(ProgressUpdate(stage: "folding", completed: writer.tensors.count, total: writer.tensors.count))
        var config = base.config.json
        if try base.config.tiesWordEmbeddings != tiesWordEmbeddings {
            config["tie_word_embeddings"] = .bool(tiesWordEmbeddings)
        }
        try writer.finish(config: config, manifest: manifest)
    }

    private func write(_ tensor: TensorPlan, to writer: inout CheckpointWriter, threads: Int) throws {
        if let replacement = adapter.replacements[tensor.name] {
            try copy(replacement, of: adapter.file, as: tensor, to: &writer)
        } else if let update = adapter.updates[tensor.name] {
            let file = try base.shard(of: tensor.name)
            let updated = try UpdatedMatrix(tensor, in: file, update, of: adapter)
            try forEachBlock(of: tensor, threads: threads, make: updated.bytes) { try writer.write($0) }
        } else {
            // The head of a tied model is its embedding, whatever else is stored under the head's name.
            let isTiedHead = try tensor.name == TensorNames.head && base.config.tiesWordEmbeddings
            let name = isTiedHead ? TensorNames.embedding : tensor.name
            let info = try base.tensor(name)
            try base.shard(of: name).forEachChunk(of: info) { try writer.write(bytes: $0) }
        }
    }

    /// Bytes as they are, or numbers converted where the types differ.
    private func copy(
        _ source: TensorInfo, of file: SafetensorsFile, as plan: TensorPlan, to writer: inout CheckpointWriter
    ) throws {
        try file.forEachChunk(of: source) { chunk in
            if source.type == plan.type {
                try writer.write(bytes: chunk)
            } else {
                try writer.write(plan.type.bytes(source.type.floats(chunk)))
            }
        }
    }

    /// The base's shards; a head that comes apart from the embedding joins the last one.
    private func plannedShards() throws -> [ShardPlan] {
        var shards = base.shards.map { shard in
            let plans = shard.tensors.map { TensorPlan($0) }.filter {
                !(tiesWordEmbeddings && $0.name == TensorNames.head)
            }
            let changes =
                plans.count != shard.tensors.count
                || plans.contains { adapter.updates[$0.name] != nil || adapter.replacements[$0.name] != nil }
            return ShardPlan(name: shard.name, tensors: plans, source: changes ? nil : shard.path)
        }
        if !tiesWordEmbeddings, base[TensorNames.head] == nil {
            var head = TensorPlan(try base.matrix(TensorNames.embedding))
            head.name = TensorNames.head
            shards[shards.count - 1].tensors.append(head)
            shards[shards.count - 1].source = nil
        }
        return shards
    }
}

/// One matrix of the base and what is added to it.
private struct UpdatedMatrix: Sendable {
    let plan: TensorPlan
    let info: TensorInfo
    let file: SafetensorsFile
    /// [rank, in].
    let a: [Float]
    /// [out, rank].
    let b: [Float]
    let rank: Int
    let scaling: Float

    init(_ plan: TensorPlan, in file: SafetensorsFile, _ update: Adapter.Update, of adapter: Adapter) throws {
        guard let info = file[plan.name] else {
            throw SafetensorsError.noTensor(path: file.path, tensor: plan.name)
        }
        self.plan = plan
        self.info = info
        self.file = file
        a = try adapter.file.floats(of: update.a.name)
        b = try adapter.file.floats(of: update.b.name)
        rank = adapter.config.rank
        scaling = Float(adapter.config.scaling)
    }

    /// The updated rows in the base's type.
    func bytes(of rows: Range<Int>) throws -> [UInt8] {
        let columns = plan.shape[1]
        let rowSize = columns * plan.type.bits / 8
        var values = file.withChunk(of: info, rows.lowerBound * rowSize..<rows.upperBound * rowSize) {
            plan.type.floats($0)
        }
        fold(rows, into: &values, columns: columns)
        guard values.allSatisfy({ $0.isFinite }) else {
            throw CheckpointError.unfit(
                path: file.path,
                reason: "tensor \(plan.name) holds NaN or infinity once the adapter is folded in; "
                    + "check the adapter, or the base if it does by itself")
        }
        return plan.type.bytes(values)
    }

    private func fold(_ rows: Range<Int>, into values: inout [Float], columns: Int) {
        values.withUnsafeMutableBufferPointer { values in
            // b has a line of `rank` numbers for each row, a one of `columns` for each of these: checked with the shapes.
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    guard let values = values.baseAddress, let a = a.baseAddress, let b = b.baseAddress else { return }
                    for (place, row) in rows.enumerated() {
                        kuoci_fold_row(values + place * columns, b + row * rank, a, rank, columns, scaling)
                    }
                }
            }
        }
    }
}
