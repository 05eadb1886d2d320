/// SplitMix64 (Steele, Lea and Flood 2014): 64 bits of state, the same numbers on every machine.
package struct SeededGenerator: Sendable {
    private var state: UInt64

    /// A generator whose numbers depend on all of `words` and on their order.
    package init(_ words: UInt64...) {
        state = 0
        for word in words {
            state ^= word
            state = next()
        }
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
}
