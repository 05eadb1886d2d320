import Checkpoints
import Glibc
import Partitioning
import Safetensors

extension VocabularyResizer {
    /// Compares the result with the original, bit by bit: the same tensors, the old rows first in those that grew.
    func verify(_ result: Checkpoint, progress: ProgressHandler) throws {
        let tensors = checkpoint.tensors
        guard result.tensors.count == tensors.count, try result.config.vocabularySize == entries else {
            throw ResizingError.verificationFailed(path: result.directory, tensor: "config.json")
        }
        for (done, tensor) in tensors.enumerated() {
            progress(ProgressUpdate(stage: "verifying", completed: done, total: tensors.count))
            var shape = tensor.shape
            if matrixNames.contains(tensor.name) { shape[0] = entries }
            guard let written = result[tensor.name], written.type == tensor.type, written.shape == shape,
                try sameBytes(
                    (try checkpoint.shard(of: tensor.name), tensor), (try result.shard(of: tensor.name), written))
            else { throw ResizingError.verificationFailed(path: result.directory, tensor: tensor.name) }
        }
        progress(ProgressUpdate(stage: "verifying", completed: tensors.count, total: tensors.count))
    }
}

/// Whether the second tensor begins with all of the first one's bytes.
func sameBytes(
    _ first: (file: SafetensorsFile, tensor: TensorInfo), _ second: (file: SafetensorsFile, tensor: TensorInfo)
) throws -> Bool {
    guard second.tensor.byteCount >= first.tensor.byteCount else { return false }
    var offset = 0
    var isSame = true
    first.file.forEachChunk(of: first.tensor) { chunk in
        let same = second.file.withChunk(of: second.tensor, offset..<offset + chunk.count) { other in
            guard let left = chunk.baseAddress, let right = other.baseAddress else { return true }
            return memcmp(left, right, chunk.count) == 0
        }
        isSame = isSame && same
        offset += chunk.count
    }
    return isSame
}
