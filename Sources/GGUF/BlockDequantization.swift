extension GGUFTensorType {
    /// Whether `dequantize` knows the type.
    public var isDequantizable: Bool { self == .q8_0 || self == .q4_0 || self == .q6_K }

    /// The numbers that blocks stand for, exact in `Float` but for q6_K, where a product is rounded.
    ///
    /// - Precondition: `isDequantizable`, and whole blocks.
    public func dequantize(_ bytes: UnsafeRawBufferPointer) -> [Float] {
        let (count, size) = block
        precondition(bytes.count.isMultiple(of: size), "bytes must fill whole blocks")
        var numbers: [Float] = []
        numbers.reserveCapacity(bytes.count / size * count)
        for start in stride(from: 0, to: bytes.count, by: size) {
            let block = UnsafeRawBufferPointer(rebasing: bytes[start..<start + size])
            switch self {
            case .q8_0: appendQ8(block, to: &numbers)
            case .q4_0: appendQ4(block, to: &numbers)
            case .q6_K: appendQ6(block, to: &numbers)
            default: preconditionFailure("\(name) cannot be turned into numbers here")
            }
        }
        return numbers
    }
}

private func scale(_ block: UnsafeRawBufferPointer, at offset: Int) -> Float {
    Float(Float16(bitPattern: UInt16(block[offset]) | UInt16(block[offset + 1]) << 8))
}

private func appendQ8(_ block: UnsafeRawBufferPointer, to numbers: inout [Float]) {
    let scale = scale(block, at: 0)
    for index in 2..<34 { numbers.append(scale * Float(Int8(bitPattern: block[index]))) }
}

private func appendQ4(_ block: UnsafeRawBufferPointer, to numbers: inout [Float]) {
    let scale = scale(block, at: 0)
    for index in 2..<18 { numbers.append(scale * Float(Int(block[index] & 0x0F) - 8)) }
    for index in 2..<18 { numbers.append(scale * Float(Int(block[index] >> 4) - 8)) }
}

/// 256 numbers of 6 bits: 128 bytes of low halves, 64 of high pairs of bits, 16 scales of 8 bits, one of 16.
private func appendQ6(_ block: UnsafeRawBufferPointer, to numbers: inout [Float]) {
    let (highStart, scaleStart) = (128, 192)
    let whole = scale(block, at: 208)
    for half in 0..<2 {
        for quarter in 0..<4 {
            for index in 0..<32 {
                let low = block[half * 64 + quarter % 2 * 32 + index] >> (quarter < 2 ? 0 : 4) & 0x0F
                let high = block[highStart + half * 32 + index] >> (2 * UInt8(quarter)) & 3
                let part = Int8(bitPattern: block[scaleStart + half * 8 + quarter * 2 + index / 16])
                numbers.append(whole * Float(part) * Float(Int(low | high << 4) - 32))
            }
        }
    }
}
