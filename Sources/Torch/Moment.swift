internal import CTorch

/// How an optimizer keeps its two moments.
public enum MomentStorage: String, Sendable, CaseIterable {
    /// 8 bytes a parameter.
    case fp32
    /// 2 bytes a parameter and a little: 8 bits for each number, and for each block of them the size that these are shares of
    /// (Dettmers et al., 8-bit Optimizers via Block-wise Quantization, 2021).
    case int8

    /// Numbers that share one size.
    public static let blockSize = Int(kuoci_quantized_block)
    /// Parameters of fewer numbers keep their moments in float32.
    public static let smallestQuantized = 4096

    /// What a parameter of so many numbers has.
    public func of(count: Int) -> MomentStorage { count < Self.smallestQuantized ? .fp32 : self }

    /// Bytes of both moments of a parameter of so many numbers.
    public func bytes(count: Int) -> Int {
        switch of(count: count) {
        case .fp32: 2 * 4 * count
        case .int8: 2 * (count + 4 * Self.blocks(count))
        }
    }

    static func blocks(_ count: Int) -> Int { (count + blockSize - 1) / blockSize }
}

/// The mean of a parameter's gradients, or of their squares: numbers, or codes with the sizes of their blocks.
struct Moment {
    let values: Tensor
    /// nil for numbers.
    let absmax: Tensor?

    init(_ storage: MomentStorage, shape: [Int], on device: ComputeDevice) throws(TorchError) {
        switch storage {
        case .fp32:
            values = try .zeros(shape, on: device)
            absmax = nil
        case .int8:
            // Code 0 of size 0 is zero.
            values = try .zeros(shape, .uint8, on: device)
            absmax = try .zeros([MomentStorage.blocks(values.count)], on: device)
        }
    }
}
