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

/// How much of a thing is read; the names and dimensions of tensors, and keys, are as long as the format allows.
enum GGUFLimits {
    /// In bytes.
    static let tensorName = 64
    static let dimensions = 4
    /// In bytes.
    static let key = 65_535
    /// The models of llama.cpp have fewer than 100 keys and 10,000 tensors.
    static let keys = 1 << 16
    static let tensors = 1 << 16
    /// A longer text under a key is passed over, as the whole tokenizer.json that some files hold.
    static let text = 1 << 20
    /// Memory for all that is kept of the keys: a vocabulary of a million entries fits.
    static let memory = 1 << 26
}

/// The next multiple of `alignment`; nil beyond `Int`.
func aligned(_ position: Int, to alignment: Int) -> Int? {
    let (sum, overflow) = position.addingReportingOverflow(alignment - 1)
    return overflow ? nil : sum / alignment * alignment
}
