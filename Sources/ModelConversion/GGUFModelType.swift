import GGUF
import Safetensors

/// How the matrices of a model are kept in a GGUF file; its norms and biases are always f32.
public enum GGUFModelType: String, Sendable, CaseIterable {
    case f32, f16, bf16, q8_0, q4_0

    /// The type that a matrix of its own has.
    var tensorType: GGUFTensorType {
        switch self {
        case .f32: .f32
        case .f16: .f16
        case .bf16: .bf16
        case .q8_0: .q8_0
        case .q4_0: .q4_0
        }
    }

    /// The number under `general.file_type`.
    var fileType: UInt32 {
        switch self {
        case .f32: 0
        case .f16: 1
        case .q4_0: 2
        case .q8_0: 7
        case .bf16: 32
        }
    }

    /// The type of a checkpoint's own numbers; nil for one that it has no counterpart of.
    init?(_ type: TensorType) {
        switch type {
        case .float32: self = .f32
        case .float16: self = .f16
        case .bfloat16: self = .bf16
        default: return nil
        }
    }

    /// The type of one tensor.
    ///
    /// What is multiplied with the hidden states last, the LM head, is kept in q8_0 where the rest is q4_0: llama.cpp
    /// too gives it more bits than the rest (q6_K). Rows that do not fill whole blocks are f16, as in its converter.
    func type(ofShape shape: [Int], isHead: Bool) -> GGUFTensorType {
        if shape.count < 2 { return .f32 }
        let wanted = self == .q4_0 && isHead ? .q8_0 : tensorType
        return shape[shape.count - 1].isMultiple(of: wanted.block.count) ? wanted : .f16
    }
}

extension GGUFTensorType {
    /// The same type in a safetensors file; nil for one that only ggml has.
    var plain: TensorType? {
        switch self {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        default: nil
        }
    }
}
