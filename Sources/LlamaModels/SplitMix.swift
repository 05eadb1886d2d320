/// The SplitMix64 generator of Steele, Lea and Flood (2014): the same numbers on every machine.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// A generator for one of several purposes that share a seed.
    init(seed: UInt64, purpose: UInt64...) {
        state = seed
        for part in purpose { state = next() ^ part }
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from -bound up to bound, each of 2^24 equally likely.
    mutating func uniform(bound: Float) -> Float {
        (Float(next() >> 40) / Float(1 << 23) - 1) * bound
    }
}
