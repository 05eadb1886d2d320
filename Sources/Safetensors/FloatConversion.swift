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
        let size = floats.count * (bits / 8)
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, initialized in
            let bytes = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<size])
            // Loops over a collection of unknown type would ask for each number.
            Array(floats).withUnsafeBufferPointer { encode($0, into: bytes) }
            initialized = size
        }
    }

    /// Fills the start of `bytes` with the numbers as little-endian elements of this type, rounded as by `bytes(_:)`.
    ///
    /// - Precondition: `isFloatingPoint`, and `bytes` has room for them.
    public func encode(_ floats: UnsafeBufferPointer<Float>, into bytes: UnsafeMutableRawBufferPointer) {
        precondition(bytes.count >= floats.count * (bits / 8), "too little room")
        switch self {
        case .float32: store(floats, bytes) { $0.bitPattern }
        case .bfloat16: store(floats, bytes) { bfloat16Bits($0) }
        case .float16: store(floats, bytes) { Float16($0).bitPattern }
        case .float64: store(floats, bytes) { Double($0).bitPattern }
        default: preconditionFailure("\(rawValue) holds no plain floats")
        }
    }
}

@inline(__always)
private func store<Word: FixedWidthInteger>(
    _ floats: UnsafeBufferPointer<Float>, _ bytes: UnsafeMutableRawBufferPointer, _ word: (Float) -> Word
) {
    for index in floats.indices {
        bytes.storeBytes(
            of: word(floats[index]).littleEndian, toByteOffset: index * MemoryLayout<Word>.size, as: Word.self)
    }
}

/// The upper half of a float after rounding to nearest even; NaN stays a quiet NaN.
private func bfloat16Bits(_ value: Float) -> UInt16 {
    let bits = value.bitPattern
    // Rounding a NaN up could carry it into infinity or zero; PyTorch writes this one too.
    if value.isNaN { return 0x7FC0 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}
