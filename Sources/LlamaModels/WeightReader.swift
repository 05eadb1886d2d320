internal import Checkpoints
internal import Safetensors
internal import Torch

/// Reads a checkpoint's tensors for a computation, whatever type they are stored in.
struct WeightReader {
    let checkpoint: Checkpoint
    let computation: Computation

    /// Keeps a file mapped for as long as a tensor shows its bytes.
    private final class Mapping {
        let file: SafetensorsFile

        init(_ file: SafetensorsFile) {
            self.file = file
        }
    }

    /// The vector of this name, to compute with in float32.
    func readVector(_ name: String, _ length: Int) throws -> Tensor {
        try computation.placed(vector: readStored(name, [length]))
    }

    /// The frozen matrix of this name, to compute with.
    func readMatrix(_ name: String, _ shape: [Int]) throws -> Tensor {
        let matrix = try computation.placed(readStored(name, shape))
        // What was converted need not be in memory twice.
        if !computation.usesOwnKernels { release(name) }
        return matrix
    }

    /// The tensor of this name in memory of its own, in float32, to be trained.
    func readTrained(_ name: String, _ shape: [Int]) throws -> Tensor {
        let tensor = try readStored(name, shape).copied(as: .float32, on: computation.device)
        try tensor.setRequiresGradient(true)
        return tensor
    }

    /// The tensor of this name as it is stored, where it is mapped, read-only.
    func readStored(_ name: String, _ shape: [Int]) throws -> Tensor {
        let file = try checkpoint.shard(of: name)
        guard let info = file[name] else { preconditionFailure("a shard lost its tensor") }
        guard info.shape == shape else {
            throw LlamaModelError.wrongShape(
                directory: checkpoint.directory, tensor: name, expected: shape, found: info.shape)
        }
        guard let element = elementType(info.type) else {
            throw LlamaModelError.wrongType(
                directory: checkpoint.directory, tensor: name, type: info.type.rawValue)
        }
        let mapping = Mapping(file)
        // The bytes outlive the closure because the tensor holds `mapping`, which holds the file.
        return try file.withUnsafeBytes(of: info) {
            try Tensor(borrowing: $0, owner: mapping, element: element, shape: shape)
        }
    }

    /// Lets the kernel take back the memory behind a tensor that has been copied; other names are passed over.
    func release(_ name: String) {
        guard let file = try? checkpoint.shard(of: name), let info = file[name] else { return }
        // Hands out the pieces, none of which is read, and gives each one back.
        file.forEachChunk(of: info) { _ in }
    }

    /// Lets the kernel take back the memory of all weights; what is used again is read again.
    func releaseAll() {
        for tensor in checkpoint.tensors { release(tensor.name) }
    }

    private func elementType(_ type: TensorType) -> ElementType? {
        switch type.rawValue {
        case "F32": .float32
        case "BF16": .bfloat16
        case "F16": .float16
        default: nil
        }
    }
}
