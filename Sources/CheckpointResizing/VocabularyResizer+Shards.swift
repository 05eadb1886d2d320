import Checkpoints
import Safetensors

extension VocabularyResizer {
    /// The files to write: as they were, those that hold no resized matrix as copies, or dealt out anew by
    /// `maximumShardSize`.
    func plannedShards() throws -> [ShardPlan] {
        if let maximumShardSize {
            return try ShardPlan.shards(of: try tensorsInModelOrder(), maximumSize: maximumShardSize)
        }
        return checkpoint.shards.map { shard in
            let isChanged = shard.tensors.contains { matrixNames.contains($0.name) }
            return ShardPlan(
                name: shard.name, tensors: shard.tensors.map(resizedPlan), source: isChanged ? nil : shard.path)
        }
    }

    /// A tensor as it is to be.
    func resizedPlan(_ tensor: TensorInfo) -> TensorPlan {
        var plan = TensorPlan(tensor)
        if matrixNames.contains(plan.name) { plan.shape[0] = rows.newRows }
        return plan
    }

    /// What is kept of each resized matrix, as bytes.
    func keptBytes() throws -> [String: [ByteMove]] {
        var moves: [String: [ByteMove]] = [:]
        for name in matrixNames {
            let size = try checkpoint.matrix(name).rowSize
            moves[name] = rows.kept.map { run in
                ByteMove(
                    source: run.old.lowerBound * size..<run.old.upperBound * size, destination: run.new * size)
            }
        }
        return moves
    }

    /// The order in which transformers deals tensors out: the embedding, the layers, the norm, the head. What the family
    /// does not know comes last.
    private func tensorsInModelOrder() throws -> [TensorPlan] {
        let names = try LlamaLayout(checkpoint.config).tensors.map(\.name)
        let order = Dictionary(names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        return checkpoint.tensors.enumerated().sorted {
            (order[$0.element.name] ?? names.count, $0.offset) < (order[$1.element.name] ?? names.count, $1.offset)
        }.map { resizedPlan($0.element) }
    }
}

extension TensorInfo {
    /// Bytes of one row of a matrix.
    var rowSize: Int { shape[1] * type.bits / 8 }
}
