/// The generator of Steele, Lea and Flood (2014): 64 bits of state, the same numbers on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    /// A generator for one of several purposes that share a seed: its numbers depend on all the words and their order.
    package init(seed: UInt64, purpose: UInt64...) {
        state = seed
        for word in purpose { state = next() ^ word }
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number below `limit`, each equally likely: draws that would favour the small ones are thrown away.
    package mutating func next(below limit: UInt64) -> UInt64 {
        precondition(limit > 0, "no number is below zero")
        let rejected = (0 &- limit) % limit
        while true {
            let (high, low) = limit.multipliedFullWidth(by: next())
            if low >= rejected { return high }
        }
    }

    /// A number from -bound up to bound, each of 2^24 equally likely.
    package mutating func uniform(bound: Float) -> Float {
        (Float(next() >> 40) / Float(1 << 23) - 1) * bound
    }
}

extension RandomNumberGenerator {
    /// A number from 0 to below 1, each of 2^53 equally likely.
    package mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }
}
