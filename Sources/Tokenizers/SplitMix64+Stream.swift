package import SeededRandom

extension SplitMix64 {
    /// - Parameter stream: which of the seed's sequences; each is a sequence of its own.
    package init(seed: UInt64, stream: Int) {
        self.init(seed: seed, purpose: UInt64(truncatingIfNeeded: stream) &* 0xD134_2543_DE82_EF95)
    }
}
