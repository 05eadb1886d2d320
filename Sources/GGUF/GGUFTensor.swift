/// What a GGUF file says of one tensor.
public struct GGUFTensor: Sendable, Equatable {
    public let name: String
    public let type: GGUFTensorType
    /// Outermost dimension first, as in a safetensors file; GGUF itself stores them the other way round.
    public let shape: [Int]
    /// The tensor's bytes, counted from the start of the file.
    public let byteRange: Range<Int>

    public var byteCount: Int { byteRange.count }
}

/// A tensor that is about to be written.
public struct GGUFTensorPlan: Sendable, Equatable {
    public var name: String
    public var type: GGUFTensorType
    /// Outermost dimension first.
    public var shape: [Int]

    public init(name: String, type: GGUFTensorType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }
}

/// The longest name of a tensor, in bytes, and the most dimensions that the format allows.
enum GGUFLimits {
    static let tensorName = 64
    static let dimensions = 4
}

/// The next multiple of `alignment`; nil beyond `Int`.
func aligned(_ position: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = position.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum / alignment * alignment
}
