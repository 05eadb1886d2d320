import Checkpoints
import Safetensors

/// What a resize will make and take, from the files' headers alone.
public struct ResizeEstimate: Sendable {
    /// The matrices that change, with their shapes before and after.
    public let matrices: [(name: String, old: [Int], new: [Int])]
    /// Numbers in all tensors.
    public let oldParameters: Int
    public let newParameters: Int
    /// Bytes in all tensors.
    public let oldBytes: Int
    public let newBytes: Int
    /// Weight files that hold no changed matrix, and those that are written anew.
    public let unchangedFiles: Int
    public let rewrittenFiles: Int
    /// Bytes in the weight files that are written anew, and in those that do not change.
    public let rewrittenBytes: Int
    public let unchangedBytes: Int

    /// What the disk must have room for.
    ///
    /// - Parameter linking: Whether files that do not change are links.
    public func neededBytes(linking: Bool) -> Int { rewrittenBytes + (linking ? 0 : unchangedBytes) }
}

extension VocabularyResizer {
    /// - Throws: `SafetensorsError.planMismatch` for a result larger than any file.
    public func estimate() throws -> ResizeEstimate {
        let shards = try plannedShards()
        let rewritten = shards.filter { $0.source == nil }
        let tensors = checkpoint.tensors
        let plans = tensors.map(resizedPlan)
        return ResizeEstimate(
            matrices: try matrixNames.map { name in
                let matrix = try checkpoint.matrix(name)
                return (name, matrix.shape, resizedPlan(matrix).shape)
            },
            oldParameters: tensors.reduce(0) { $0 + $1.count },
            newParameters: plans.reduce(0) { $0 + $1.shape.reduce(1, *) },
            oldBytes: tensors.reduce(0) { $0 + $1.byteCount },
            newBytes: try plans.reduce(0) { $0 + (try $1.type.byteCount(shape: $1.shape)) },
            unchangedFiles: shards.count - rewritten.count, rewrittenFiles: rewritten.count,
            rewrittenBytes: try rewritten.reduce(0) { sum, shard in
                sum + (try SafetensorsLayout(shard.tensors, path: shard.name).fileBytes)
            },
            unchangedBytes: checkpoint.shards.filter { file in shards.contains { $0.source == file.path } }
                .reduce(0) { $0 + $1.byteCount })
    }
}
