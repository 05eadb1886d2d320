import GGUF
import Safetensors

/// Numbers from one type to another; nil if one does not fit.
func encode(_ floats: [Float], as type: GGUFTensorType) -> [UInt8]? {
    guard let plain = type.plain else { return floats.withUnsafeBufferPointer { type.quantize($0) } }
    return encode(floats, as: plain)
}

/// The same for a checkpoint's types: what is not finite stays as it is, and nothing becomes infinite.
func encode(_ floats: [Float], as type: TensorType) -> [UInt8]? {
    // Half a step above the largest Float16; what is below is rounded down to it.
    if type == .float16, floats.contains(where: { $0.isFinite && $0.magnitude >= 65_520 }) { return nil }
    // Half a step above the largest bfloat16.
    if type == .bfloat16, floats.contains(where: { $0.isFinite && $0.magnitude >= 0x1.FFp127 }) { return nil }
    return type.bytes(floats)
}
