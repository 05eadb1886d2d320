/// UTF-8 as SentencePiece reads it: strict, one byte at a time through what is broken.
public enum UTF8Scalars {
    /// U+FFFD, what a broken byte becomes.
    public static let replacement: UInt32 = 0xFFFD

    /// The scalar at the start of non-empty `bytes` and its length; a broken byte gives U+FFFD and length 1.
    ///
    /// Overlong forms, surrogates and values above U+10FFFF are broken.
    @inlinable
    public static func decode(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> (scalar: UInt32, length: Int) {
        let first = bytes[index]
        if first < 0x80 { return (UInt32(first), 1) }
        let left = bytes.count - index
        if left >= 2, first & 0xE0 == 0xC0 {
            let second = bytes[index + 1]
            let scalar = UInt32(first & 0x1F) << 6 | UInt32(second & 0x3F)
            if second & 0xC0 == 0x80, scalar >= 0x80 { return (scalar, 2) }
        } else if left >= 3, first & 0xF0 == 0xE0 {
            let second = bytes[index + 1]
            let third = bytes[index + 2]
            let scalar = UInt32(first & 0x0F) << 12 | UInt32(second & 0x3F) << 6 | UInt32(third & 0x3F)
            if second & 0xC0 == 0x80, third & 0xC0 == 0x80, scalar >= 0x800, scalar & 0xF800 != 0xD800 {
                return (scalar, 3)
            }
        } else if left >= 4, first & 0xF8 == 0xF0 {
            let second = bytes[index + 1]
            let third = bytes[index + 2]
            let fourth = bytes[index + 3]
            let scalar =
                UInt32(first & 0x07) << 18 | UInt32(second & 0x3F) << 12 | UInt32(third & 0x3F) << 6
                | UInt32(fourth & 0x3F)
            if second & 0xC0 == 0x80, third & 0xC0 == 0x80, fourth & 0xC0 == 0x80, scalar >= 0x10000,
                scalar <= 0x10FFFF
            {
                return (scalar, 4)
            }
        }
        return (replacement, 1)
    }

    /// The length that a character's first byte announces; a stray continuation byte counts one.
    @inlinable
    public static func announcedLength(_ first: UInt8) -> Int {
        switch first >> 4 {
        case 0xC, 0xD: 2
        case 0xE: 3
        case 0xF: 4
        default: 1
        }
    }

    /// A scalar's UTF-8 bytes.
    @inlinable
    public static func bytes(of scalar: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        append(scalar, to: &bytes)
        return bytes
    }

    /// How many bytes at the end begin a character that further bytes may complete.
    public static func openLength(_ bytes: [UInt8]) -> Int {
        for length in 1..<4 where length <= bytes.count {
            let open = bytes.suffix(length)
            guard let first = open.first, first & 0xC0 != 0x80 else { continue }
            let missing = announcedLength(first) - length
            return missing > 0 && isBeginning(open, missing: missing) ? length : 0
        }
        return 0
    }

    /// Whether some `missing` continuation bytes make one character of the bytes. Those that do lie side by side up to the
    /// largest or down to the smallest, so these two tell.
    private static func isBeginning(_ bytes: ArraySlice<UInt8>, missing: Int) -> Bool {
        [0x80, 0xBF].contains { last in
            let whole = bytes + Array(repeating: UInt8(last), count: missing)
            return Array(whole).withUnsafeBufferPointer { decode($0, at: 0).length } == whole.count
        }
    }

    /// Appends a scalar's UTF-8 bytes.
    @inlinable
    public static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
        switch scalar {
        case 0..<0x80:
            bytes.append(UInt8(truncatingIfNeeded: scalar))
        case 0x80..<0x800:
            bytes.append(0xC0 | UInt8(truncatingIfNeeded: scalar >> 6))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        case 0x800..<0x10000:
            bytes.append(0xE0 | UInt8(truncatingIfNeeded: scalar >> 12))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        default:
            bytes.append(0xF0 | UInt8(truncatingIfNeeded: scalar >> 18))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 12 & 0x3F))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar >> 6 & 0x3F))
            bytes.append(0x80 | UInt8(truncatingIfNeeded: scalar & 0x3F))
        }
    }
}
