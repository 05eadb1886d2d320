/// Rounding to nearest into the blocks of ggml: for each 32 neighbours one scale, and a whole number for each.
extension GGUFTensorType {
    /// Whether `quantize` knows the type.
    public var isQuantizable: Bool { self == .q8_0 || self == .q4_0 }

    /// The numbers in blocks, bit for bit as ggml's own rounding makes them; nil if one is not finite or a scale is too
    /// large for its 16 bits.
    ///
    /// - Precondition: `isQuantizable`, and whole blocks.
    public func quantize(_ floats: UnsafeBufferPointer<Float>) -> [UInt8]? {
        let (count, size) = block
        precondition(floats.count.isMultiple(of: count), "numbers must fill whole blocks")
        guard let start = floats.baseAddress else { return [] }
        var isSound = true
        let bytes = [UInt8](unsafeUninitializedCapacity: floats.count / count * size) { out, initialized in
            // Each block of numbers and of bytes lies inside its buffer, by the counts above.
            guard let target = out.baseAddress else { return }
            for index in 0..<floats.count / count {
                let (source, place) = (start + index * count, target + index * size)
                switch self {
                case .q8_0: isSound = quantizeToQ8(source, place) && isSound
                case .q4_0: isSound = quantizeToQ4(source, place) && isSound
                default: preconditionFailure("\(name) is no type to round to")
                }
            }
            initialized = floats.count / count * size
        }
        return isSound ? bytes : nil
    }
}

/// Stores a scale in 16 bits; false if it is infinite or not a number there.
private func storeScale(_ scale: Float, _ out: UnsafeMutablePointer<UInt8>) -> Bool {
    let half = Float16(scale)
    (out[0], out[1]) = (UInt8(truncatingIfNeeded: half.bitPattern), UInt8(half.bitPattern >> 8))
    return half.isFinite
}

/// What a number is multiplied by before it is rounded; 0 where the scale is none, or so small that 16 bits hold none.
private func inverse(_ scale: Float) -> Float {
    let inverse = 1 / scale
    return inverse.isFinite ? inverse : 0
}

/// Adding this rounds a number below 2^22 to a whole one, which then stands in the low bits.
private let roundingShift: Float = 12_582_912

/// q8_0: the scale is the largest magnitude / 127; halves are rounded away from zero.
private func quantizeToQ8(_ numbers: UnsafePointer<Float>, _ out: UnsafeMutablePointer<UInt8>) -> Bool {
    var largest: UInt32 = 0
    for index in 0..<32 { largest = max(largest, numbers[index].bitPattern & 0x7FFF_FFFF) }
    let scale = Float(bitPattern: largest) / 127
    let factor = inverse(scale)
    for index in 0..<32 {
        let value = numbers[index] * factor
        let magnitude = value.magnitude
        let even = (magnitude + roundingShift) - roundingShift
        let rounded = magnitude - even == 0.5 ? even + 1 : even
        let signed = value < 0 ? -rounded : rounded
        out[2 + index] = UInt8(truncatingIfNeeded: (signed + roundingShift).bitPattern)
    }
    return storeScale(scale, out)
}

/// q4_0: the scale is the number of largest magnitude / -8; the 16 steps are -8 to 7, two to a byte.
private func quantizeToQ4(_ numbers: UnsafePointer<Float>, _ out: UnsafeMutablePointer<UInt8>) -> Bool {
    var place = 0
    for index in 1..<32 where numbers[index].bitPattern & 0x7FFF_FFFF > numbers[place].bitPattern & 0x7FFF_FFFF {
        place = index
    }
    let scale = numbers[place] / -8
    let factor = inverse(scale)
    for index in 0..<16 {
        out[2 + index] = step(numbers[index] * factor) | step(numbers[index + 16] * factor) << 4
    }
    return storeScale(scale, out)
}

/// A number of at most 8 in magnitude, a little more by rounding, as a step above -8.
private func step(_ value: Float) -> UInt8 {
    let shifted = min(max(value + 8.5, 0), 15.5)
    return shifted.isNaN ? 0 : UInt8(shifted)
}
