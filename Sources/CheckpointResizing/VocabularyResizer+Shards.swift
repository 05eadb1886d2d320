import Checkpoints
import Safetensors

extension VocabularyResizer {
    /// The files to write: as they were, those that hold no resized matrix as copies, or dealt out anew by
    /// `maximumShardSize`.
    func plannedShards() throws -> [ShardPlan] {
        if let maximumShardSize {
            return try ShardPlan.shards(of: checkpoint.tensors.map(resizedPlan), maximumSize: maximumShardSize)
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
}

extension TensorInfo {
    /// Bytes of one row of a matrix.
    var rowSize: Int { shape[1] * type.bits / 8 }
}
