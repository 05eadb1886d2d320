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
    private let wasTied: Bool

    /// - Throws: `CheckpointError` if the base is of another family or its config disagrees with its weights, and
    ///   `.unfit` if the adapter does not fit the base, naming the tensor.
    public init(base: Checkpoint, adapter: Adapter) throws {
        try base.config.requireLlamaFamily()
        try checkSizes(of: base)
        try checkUpdates(adapter, of: base)
        tiesWordEmbeddings = try staysTied(base, adapter)
        try checkReplacements(adapter, of: base)
        try checkNothingIsMissing(from: adapter, of: base)
        wasTied = try base.config.tiesWordEmbeddings
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
        let shards = try plannedShards()
        let changed = shards.flatMap(\.tensors).filter(changes)
        // Nothing of a changed tensor is kept as it is.
        var rewriter = try CheckpointRewriter(
            directory, from: base, shards: shards,
            moves: Dictionary(uniqueKeysWithValues: changed.map { ($0.name, []) }),
            linking: false, replacing: replacing)
        for name in try base.sideFiles { try rewriter.copy("\(base.directory)/\(name)", as: name) }
        let tokenizer = try base.tokenizerFiles
        let origin = tokenizer.isEmpty ? adapter.directory : base.directory
        for name in tokenizer.isEmpty ? try tokenizerFilesIn(origin) : tokenizer {
            try rewriter.copy("\(origin)/\(name)", as: name)
        }
        try rewriter.copyWeights(progress: progress)
        for (done, tensor) in changed.enumerated() {
            progress(ProgressUpdate(stage: "folding", completed: done, total: changed.count))
            try write(tensor, to: rewriter, threads: threads)
        }
        progress(ProgressUpdate(stage: "folding", completed: changed.count, total: changed.count))
        var config = base.config.json
        if wasTied != tiesWordEmbeddings {
            config["tie_word_embeddings"] = .bool(tiesWordEmbeddings)
        }
        try rewriter.finish(config: config, manifest: manifest)
    }

    /// Whether a tensor's bytes are others than the base's of that name.
    private func changes(_ tensor: TensorPlan) -> Bool {
        adapter.updates[tensor.name] != nil || adapter.replacements[tensor.name] != nil || isPartedHead(tensor)
    }

    /// The head of a tied model is its embedding, whatever else is stored under the head's name.
    private func isPartedHead(_ tensor: TensorPlan) -> Bool {
        tensor.name == TensorNames.head && !tiesWordEmbeddings && wasTied
    }

    private func write(_ tensor: TensorPlan, to rewriter: borrowing CheckpointRewriter, threads: Int) throws {
        var offset = 0
        func write(_ bytes: [UInt8]) throws {
            try rewriter.write(bytes, of: tensor.name, at: offset)
            offset += bytes.count
        }
        if let replacement = adapter.replacements[tensor.name] {
            try adapter.file.forEachChunk(of: replacement) { chunk in
                let isSame = replacement.type == tensor.type
                try write(isSame ? Array(chunk) : tensor.type.bytes(replacement.type.floats(chunk)))
            }
        } else if let update = adapter.updates[tensor.name] {
            let source = isPartedHead(tensor) ? TensorNames.embedding : tensor.name
            let updated = try UpdatedMatrix(tensor, from: source, of: base, update, of: adapter)
            try forEachBlock(of: tensor, threads: threads, make: updated.bytes) { try write($0) }
        } else {
            let embedding = try base.tensor(TensorNames.embedding)
            try base.shard(of: embedding.name).forEachChunk(of: embedding) { try write(Array($0)) }
        }
    }

    /// The base's shards; a head that comes apart from the embedding is as large, and if new joins the last one.
    private func plannedShards() throws -> [ShardPlan] {
        let head = try partedHead()
        var shards = base.shards.map { shard in
            let plans = shard.tensors.map { TensorPlan($0) }.filter {
                !(tiesWordEmbeddings && $0.name == TensorNames.head)
            }
            let isKept = plans.count == shard.tensors.count && !plans.contains(where: changes)
            let planned = plans.map { $0.name == TensorNames.head ? head ?? $0 : $0 }
            return ShardPlan(name: shard.name, tensors: planned, source: isKept ? shard.path : nil)
        }
        if let head, base[TensorNames.head] == nil {
            shards[shards.count - 1].tensors.append(head)
            shards[shards.count - 1].source = nil
        }
        return shards
    }

    /// The head of a tied model that gets a tensor of its own; nil where none does.
    private func partedHead() throws -> TensorPlan? {
        guard wasTied, !tiesWordEmbeddings else { return nil }
        var head = TensorPlan(try base.matrix(TensorNames.embedding))
        head.name = TensorNames.head
        return head
    }
}

/// One matrix of the base and what is added to it.
private struct UpdatedMatrix: Sendable {
    let plan: TensorPlan
    let info: TensorInfo
    let file: SafetensorsFile
    let adapterPath: String
    /// [rank, in].
    let a: [Float]
    /// [out, rank].
    let b: [Float]
    let rank: Int
    let scaling: Float

    /// - Parameter source: The base's tensor that the update is added to, whose shape and type the plan has.
    init(
        _ plan: TensorPlan, from source: String, of base: Checkpoint, _ update: Adapter.Update, of adapter: Adapter
    ) throws {
        self.plan = plan
        info = try base.tensor(source)
        file = try base.shard(of: source)
        adapterPath = adapter.file.path
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
                reason: "tensor \(info.name) holds NaN or infinity once \(adapterPath) is folded in; "
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
