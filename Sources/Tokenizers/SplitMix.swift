/// SplitMix64 (Steele, Lea and Flood 2014): numbers that depend on the seed and the stream alone.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    /// - Parameter stream: which of the seed's sequences; each is a sequence of its own.
    package init(seed: UInt64, stream: Int) {
        var start = SplitMix(state: seed)
        state = start.next() ^ UInt64(truncatingIfNeeded: stream) &* 0xD134_2543_DE82_EF95
    }

    private init(state: UInt64) {
        self.state = state
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
