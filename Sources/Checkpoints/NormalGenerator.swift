import Foundation
import SeededRandom

/// Standard normal numbers: SplitMix64 through the Box-Muller transform.
///
/// One generator for each row, seeded by the row's number: rows can be made in any order, by any number of threads.
package struct NormalGenerator {
    private var words: SplitMix64
    private var spare: Double?

    package init(seed: UInt64, stream: UInt64) {
        // Two rounds part the streams of neighbouring seeds and rows.
        words = SplitMix64(seed: seed, purpose: stream, 0)
    }

    /// Above 0 and up to 1, in steps of 2^-53, so that its logarithm is finite.
    private mutating func nextUniform() -> Double {
        Double((words.next() >> 11) + 1) * 0x1p-53
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
