/// A 64-bit hash of a text that is the same on every machine and in every run (FNV-1a, then the finalizer of
/// splitmix64, so that every bit depends on every byte).
struct ContentHash: Hashable, Sendable {
    let value: UInt64

    init(_ text: [UInt8]) {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        value = Self.mixed(hash)
    }

    /// Whether the text is among those set aside; `share` of all texts are, chosen by their content alone.
    func isHeldOut(share: Double) -> Bool {
        // Mixed again, so that the choice is independent of how a table uses the hash.
        Double(Self.mixed(value &+ 0x9E37_79B9_7F4A_7C15) >> 11) < share * Double(1 << 53)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
