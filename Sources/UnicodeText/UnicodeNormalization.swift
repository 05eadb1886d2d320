internal import CICU

/// Compatibility normalization and case folding of code points, by the running ICU.
public enum UnicodeNormalization {
    /// The longest decomposition has 18 UTF-16 units (U+FDFA); twice that and more is room for any to come.
    private static let decompositionCapacity = 64

    /// The full compatibility decomposition (NFKD) of one code point; nil if it stands for itself.
    public static func decomposition(of scalar: UInt32) -> [UInt32]? {
        withUnsafeTemporaryAllocation(of: UInt16.self, capacity: decompositionCapacity) { units in
            let length = kuoci_icu_decompose(
                Int32(bitPattern: scalar), units.baseAddress, Int32(decompositionCapacity))
            precondition(length >= -1, "ICU cannot decompose a code point")
            return length < 0 ? nil : scalars(of: UnsafeBufferPointer(rebasing: units[..<Int(length)]))
        }
    }

    /// The compatibility composition (NFKC) of a text.
    public static func nfkc(_ text: [UInt32]) -> [UInt32] {
        if text.isEmpty { return [] }
        let units = utf16Units(of: text)
        // No code point's normal form is longer than 18 units.
        let capacity = units.count * 18
        precondition(capacity < Int32.max, "the text is too long to normalize at once")
        return withUnsafeTemporaryAllocation(of: UInt16.self, capacity: capacity) { output in
            let length = kuoci_icu_nfkc(units, Int32(units.count), output.baseAddress, Int32(capacity))
            precondition(length >= 0, "ICU cannot normalize a text")
            return scalars(of: UnsafeBufferPointer(rebasing: output[..<Int(length)]))
        }
    }

    /// The simple case folding of a code point; itself if it has none.
    public static func simpleFold(of scalar: UInt32) -> UInt32 {
        UInt32(bitPattern: kuoci_icu_fold(Int32(bitPattern: scalar)))
    }

    private static func utf16Units(of text: [UInt32]) -> [UInt16] {
        var units: [UInt16] = []
        units.reserveCapacity(text.count * 2)
        for scalar in text {
            if scalar < 0x10000 {
                units.append(UInt16(scalar))
            } else {
                units.append(UInt16(truncatingIfNeeded: 0xD7C0 + scalar >> 10))
                units.append(UInt16(0xDC00 | scalar & 0x3FF))
            }
        }
        return units
    }

    private static func scalars(of units: UnsafeBufferPointer<UInt16>) -> [UInt32] {
        var scalars: [UInt32] = []
        scalars.reserveCapacity(units.count)
        for unit in units {
            if unit & 0xFC00 == 0xDC00, let high = scalars.last, high & 0xFFFF_FC00 == 0xD800 {
                scalars[scalars.count - 1] = (high - 0xD7C0) << 10 | UInt32(unit & 0x3FF)
            } else {
                scalars.append(UInt32(unit))
            }
        }
        return scalars
    }
}
