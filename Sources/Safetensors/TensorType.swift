/// The type of a tensor's elements, by its safetensors name.
///
/// The cases stand in the format's own order; a file holds its tensors by type from the last case to the first.
public enum TensorType: String, Sendable, CaseIterable {
    case bool = "BOOL"
    case float4 = "F4"
    case float6e2m3 = "F6_E2M3"
    case float6e3m2 = "F6_E3M2"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case float8e8m0 = "F8_E8M0"
    case float8e4m3fnuz = "F8_E4M3FNUZ"
    case float8e5m2fnuz = "F8_E5M2FNUZ"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case complex64 = "C64"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// Bits of one element.
    public var bits: Int {
        switch self {
        case .float4: 4
        case .float6e2m3, .float6e3m2: 6
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .float8e8m0, .float8e4m3fnuz, .float8e5m2fnuz: 8
        case .int16, .uint16, .float16, .bfloat16: 16
        case .int32, .uint32, .float32: 32
        case .complex64, .float64, .int64, .uint64: 64
        }
    }

    /// Where the type stands in the format's order.
    var order: Int {
        Self.allCases.firstIndex(of: self) ?? 0
    }

    /// Bytes of a tensor of this shape.
    ///
    /// - Throws: if the product does not fit an `Int` or does not fill whole bytes.
    public func byteCount(shape: [Int]) throws(TensorSizeError) -> Int {
        try byteCount(dimensions: shape)
    }

    /// As `byteCount(shape:)`, of dimensions that need not be in memory together.
    func byteCount(dimensions: some Sequence<Int>) throws(TensorSizeError) -> Int {
        // 64 bits without a sign, as in the reference reader: an empty tensor may have large dimensions.
        var product: UInt64 = 1
        func multiply(by number: Int) throws(TensorSizeError) {
            guard let factor = UInt64(exactly: number) else { throw .overflow }
            let (next, overflow) = product.multipliedReportingOverflow(by: factor)
            if overflow { throw .overflow }
            product = next
        }
        for dimension in dimensions { try multiply(by: dimension) }
        try multiply(by: bits)
        guard product.isMultiple(of: 8) else { throw .partialByte }
        return Int(product / 8)
    }
}

/// Why a tensor has no size in bytes.
public enum TensorSizeError: Error, Equatable {
    case overflow
    case partialByte
}
