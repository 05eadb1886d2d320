/// What a safetensors header says of one tensor.
public struct TensorInfo: Sendable, Equatable {
    public let name: String
    public let type: TensorType
    public let shape: [Int]
    /// The tensor's bytes, counted from the start of the file.
    public let byteRange: Range<Int>

    /// Elements.
    public var count: Int {
        // The size in bytes was checked; only in an empty tensor may some of the dimensions be beyond any product.
        shape.reduce(1, &*)
    }
    public var byteCount: Int { byteRange.count }

    init(name: String, type: TensorType, shape: [Int], byteRange: Range<Int>) {
        self.name = name
        self.type = type
        self.shape = shape
        self.byteRange = byteRange
    }
}

/// A tensor that is about to be written.
public struct TensorPlan: Sendable, Equatable {
    public var name: String
    public var type: TensorType
    public var shape: [Int]

    public init(name: String, type: TensorType, shape: [Int]) {
        self.name = name
        self.type = type
        self.shape = shape
    }

    public init(_ info: TensorInfo) {
        self.init(name: info.name, type: info.type, shape: info.shape)
    }
}
