internal import CTorch

// Shapes: B batch, T tokens of a block, N = B * T, D width, H heads, W width of a head, V vocabulary.
//
// What is given decides where and in which type an operation computes: float32 on the CPU by kernels of our own, anything
// else by libtorch's.

extension Tensor {
    public func reshaped(_ shape: [Int]) throws(TorchError) -> Tensor {
        try produce("reshape") { kuoci_reshape(handle, dimensions(shape), Int32(shape.count), $0) }
    }

    /// A view of `length` indices of a dimension, sharing memory.
    public func narrowed(dimension: Int = 0, start: Int, length: Int) throws(TorchError) -> Tensor {
        try produce("narrow") { kuoci_narrow(handle, Int32(dimension), Int64(start), Int64(length), $0) }
    }

    /// The rows (or along another dimension) of both, one after the other, in a new tensor.
    public func concatenated(with other: Tensor, dimension: Int = 0) throws(TorchError) -> Tensor {
        try produce("concatenation") { kuoci_concatenate(handle, other.handle, Int32(dimension), $0) }
    }

    /// self + scale * other.
    public func adding(_ other: Tensor, scale: Float = 1) throws(TorchError) -> Tensor {
        try produce("add") { kuoci_add(handle, other.handle, scale, $0) }
    }

    /// self [N, in] times weight [out, in] transposed, plus bias [out].
    public func linear(_ weight: Tensor, bias: Tensor? = nil) throws(TorchError) -> Tensor {
        try produce("linear") { kuoci_linear(handle, weight.handle, bias?.handle, $0) }
    }

    /// `linear` with a frozen weight and LoRA on it, as PEFT computes it:
    /// self W^T + bias + scaling * dropped(self) A^T B^T.
    ///
    /// - Parameters:
    ///   - down: A [r, in].
    ///   - up: B [out, r].
    ///   - dropout: The probability, below 1, with which an element of self is zeroed; the others are scaled up.
    ///   - seed: Decides, alone, which elements are dropped.
    public func adaptedLinear(
        _ weight: Tensor, bias: Tensor? = nil, down: Tensor, up: Tensor, scaling: Double, dropout: Double, seed: UInt64
    ) throws(TorchError) -> Tensor {
        try produce("LoRA") {
            kuoci_adapted_linear(
                handle, weight.handle, bias?.handle, down.handle, up.handle, scaling, dropout, seed, $0)
        }
    }

    /// weight * x / sqrt(mean(x²) + epsilon) along the last dimension, computed in float32 and then converted to `element`.
    public func rmsNorm(
        _ weight: Tensor, epsilon: Double, as element: ElementType = .float32
    ) throws(TorchError) -> Tensor {
        try produce("RMSNorm") { kuoci_rms_norm(handle, weight.handle, epsilon, element.rawValue, $0) }
    }

    /// silu(self) * up.
    public func swiglu(_ up: Tensor) throws(TorchError) -> Tensor {
        try produce("SwiGLU") { kuoci_swiglu(handle, up.handle, $0) }
    }

    /// Rotates the heads of self [N, H * W] by their positions.
    public func rotated(_ table: RotaryTable) throws(TorchError) -> Tensor {
        try produce("rotary positions") { kuoci_rotate(handle, table.cosines.handle, table.sines.handle, $0) }
    }

    /// Attention of self [B, T, H * W] to keys and values [B, T, G * W], where G divides H.
    ///
    /// A token attends to the earlier ones: of its document, where `documents` [B, T] numbers them, equal numbers side by side,
    /// and `mask` is their `documentMask`. Without documents a mask is added to the scores.
    public func attention(
        keys: Tensor, values: Tensor, documents: Tensor? = nil, mask: Tensor?, headWidth: Int
    ) throws(TorchError) -> Tensor {
        try produce("attention") {
            kuoci_attention(
                handle, keys.handle, values.handle, documents?.handle, mask?.handle, Int64(headWidth), $0)
        }
    }

    /// For document numbers [B, T]: the mask [B, 1, T, T] by which a token attends to the earlier ones of its document; nil where
    /// attention in this type needs none.
    public func documentMask(_ element: ElementType = .float32) throws(TorchError) -> Tensor? {
        guard kuoci_needs_document_mask(handle, element.rawValue) else { return nil }
        return try produce("mask") { kuoci_document_mask(handle, element.rawValue, $0) }
    }
}

/// Cosines and sines [N, W] of rotary positions.
public struct RotaryTable {
    let cosines: Tensor
    let sines: Tensor

    /// - Parameters:
    ///   - positions: int64 [N].
    ///   - width: W, even.
    ///   - base: `rope_theta`.
    public init(positions: Tensor, width: Int, base: Double) throws(TorchError) {
        var first: OpaquePointer?
        var second: OpaquePointer?
        try check(kuoci_rotary_table(positions.handle, Int64(width), base, &first, &second), "rotary positions")
        guard let first, let second else { preconditionFailure("a C function succeeded without a result") }
        cosines = Tensor(handle: first)
        sines = Tensor(handle: second)
    }
}
