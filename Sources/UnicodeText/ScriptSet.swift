/// The characters of some writing systems, for loops over text.
public struct ScriptSet: Sendable {
    public let scripts: [Script]
    /// A bit for each code point.
    private let bits: [UInt64]
    private let hasASCII: Bool

    /// Planes from here on have no letters of any script, and never will: tags, selectors, private use.
    private static let end: UInt32 = 0x40000

    public init(_ scripts: [Script]) {
        self.scripts = scripts
        var bits = [UInt64](repeating: 0, count: Int(Self.end) / 64)
        for value in 0..<Self.end {
            if let scalar = Unicode.Scalar(value), scripts.contains(scalar.script) {
                bits[Int(value >> 6)] |= 1 << UInt64(value & 63)
            }
        }
        self.bits = bits
        hasASCII = bits[0] | bits[1] != 0
    }

    public func contains(_ scalar: UInt32) -> Bool {
        scalar < Self.end && bits[Int(scalar >> 6)] >> UInt64(scalar & 63) & 1 == 1
    }

    /// Whether a text holds any of the characters.
    public func isFound(in text: UnsafeBufferPointer<UInt8>) -> Bool {
        bits.withUnsafeBufferPointer { bits in
            var index = 0
            while index < text.count {
                if !hasASCII, text[index] < 0x80 {
                    index += 1
                    continue
                }
                let (scalar, length) = UTF8Scalars.decode(text, at: index)
                if scalar < Self.end, bits[Int(scalar >> 6)] >> UInt64(scalar & 63) & 1 == 1 { return true }
                index += length
            }
            return false
        }
    }

    public func isFound(in text: [UInt8]) -> Bool {
        text.withUnsafeBufferPointer { isFound(in: $0) }
    }
}
