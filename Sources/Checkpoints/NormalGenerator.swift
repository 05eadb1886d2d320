import Foundation

/// Standard normal numbers: SplitMix64 (Steele, Lea and Flood 2014) through the Box-Muller transform.
///
/// One generator for each row, seeded by the row's number: rows can be made in any order, by any number of threads.
package struct NormalGenerator {
    private var state: UInt64
    private var spare: Double?

    package init(seed: UInt64, stream: UInt64) {
        // Two rounds part the streams of neighbouring seeds and rows.
        state = seed
        state = nextWord() ^ stream
        state = nextWord()
    }

    private mutating func nextWord() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    /// Above 0 and up to 1, in steps of 2^-53, so that its logarithm is finite.
    private mutating func nextUniform() -> Double {
        Double((nextWord() >> 11) + 1) * 0x1p-53
    }

    package mutating func next() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        let radius = (-2 * log(nextUniform())).squareRoot()
        let angle = 2 * Double.pi * nextUniform()
        spare = radius * sin(angle)
        return radius * cos(angle)
    }
}
