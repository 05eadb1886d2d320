extension TensorType {
    /// Whether `floats(_:)` and `bytes(_:)` know the type: F32, F16, BF16 and F64.
    public var isFloatingPoint: Bool {
        switch self {
        case .float32, .float16, .bfloat16, .float64: true
        default: false
        }
    }

    /// Little-endian elements of this type as `Float`; exact but for F64, which is rounded.
    ///
    /// - Precondition: `isFloatingPoint`.
    public func floats(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        let count = bytes.count / (bits / 8)
        return [Float](unsafeUninitializedCapacity: count) { buffer, initialized in
            decode(bytes, into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialized = count
        }
    }

    /// Fills `floats` with as many elements from the start of `bytes`.
    ///
    /// - Precondition: `isFloatingPoint`, and `bytes` holds that many.
    public func decode(_ bytes: UnsafeRawBufferPointer, into floats: UnsafeMutableBufferPointer<Float>) {
        precondition(bytes.count >= floats.count * (bits / 8), "too few bytes")
        switch self {
        case .float32:
            for index in floats.indices {
                let word = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
                floats.initializeElement(at: index, to: Float(bitPattern: word))
            }
        case .bfloat16:
            for index in floats.indices {
                let word = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                floats.initializeElement(at: index, to: Float(bitPattern: UInt32(word) << 16))
            }
        case .float16:
            for index in floats.indices {
                let word = UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self))
                floats.initializeElement(at: index, to: Float(Float16(bitPattern: word)))
            }
        case .float64:
            for index in floats.indices {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self))
                floats.initializeElement(at: index, to: Float(Double(bitPattern: word)))
            }
        default: preconditionFailure("\(rawValue) holds no plain floats")
        }
    }

    /// The numbers as little-endian elements of this type, rounded to nearest, ties to even.
    ///
    /// - Precondition: `isFloatingPoint`.
    public func bytes(_ floats: some Collection<Float>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(floats.count * (bits / 8))
        switch self {
        case .float32: for value in floats { append(value.bitPattern, to: &result) }
        case .bfloat16: for value in floats { append(bfloat16Bits(value), to: &result) }
        case .float16: for value in floats { append(Float16(value).bitPattern, to: &result) }
        case .float64: for value in floats { append(Double(value).bitPattern, to: &result) }
        default: preconditionFailure("\(rawValue) holds no plain floats")
        }
        return result
    }
}

private func append(_ word: some FixedWidthInteger, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: word.littleEndian) { bytes.append(contentsOf: $0) }
}

/// The upper half of a float after rounding to nearest even; NaN stays a quiet NaN.
private func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    // Rounding a NaN up could carry it into infinity or zero; PyTorch writes this one too.
    if value.isNaN { return 0x7FC0 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
