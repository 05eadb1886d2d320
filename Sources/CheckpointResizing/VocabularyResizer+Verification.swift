import Checkpoints
import Glibc
import Partitioning
import Safetensors

extension VocabularyResizer {
    /// Compares the resized matrices of the result with the original, bit by bit, row by row where it now stands.
    ///
    /// All other tensors were compared as they were copied.
    func verify(_ result: Checkpoint, progress: ProgressHandler) throws {
        guard try result.config.vocabularySize == rows.newRows else {
            throw CheckpointError.notAsWritten(path: result.directory, tensor: "vocab_size in config.json")
        }
        for (done, name) in matrixNames.enumerated() {
            progress(ProgressUpdate(stage: "comparing old rows", completed: done, total: matrixNames.count))
            let old = try checkpoint.matrix(name)
            guard let new = result[name], new.type == old.type, new.shape == [rows.newRows, old.shape[1]] else {
                throw CheckpointError.notAsWritten(path: result.directory, tensor: name)
            }
            let files = (old: try checkpoint.shard(of: name), new: try result.shard(of: name))
            for run in rows.kept {
                let isSame = sameBytes(
                    (files.old, old, run.old.lowerBound * old.rowSize),
                    (files.new, new, run.new * old.rowSize), count: run.count * old.rowSize)
                if !isSame { throw CheckpointError.notAsWritten(path: result.directory, tensor: name) }
            }
        }
        progress(
            ProgressUpdate(stage: "comparing old rows", completed: matrixNames.count, total: matrixNames.count))
    }
}

/// Whether two tensors hold the same bytes from two places on.
func sameBytes(
    _ first: (file: SafetensorsFile, tensor: TensorInfo, offset: Int),
    _ second: (file: SafetensorsFile, tensor: TensorInfo, offset: Int), count: Int
) -> Bool {
    guard first.offset + count <= first.tensor.byteCount, second.offset + count <= second.tensor.byteCount else {
        return false
    }
    for start in stride(from: 0, to: count, by: 1 << 23) {
        let size = min(1 << 23, count - start)
        let (left, right) = (first.offset + start, second.offset + start)
        let isSame = first.file.withChunk(of: first.tensor, left..<left + size) { left in
            second.file.withChunk(of: second.tensor, right..<right + size) { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return size == 0 }
                return memcmp(left, right, size) == 0
            }
        }
        if !isSame { return false }
    }
    return true
}
