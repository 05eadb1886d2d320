import Foundation
import TestSupport
import Testing

@testable import TokenizerTraining

struct RoundedLogarithmsTests {
    private let logarithms = RoundedLogarithms.shared

    @Test func `sums have the bits that double precision gives`() {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<400_000 {
            let scale: Float = [1, 30, 600, 20_000, 3_000_000].randomElement(using: &generator) ?? 1
            let x = -Float.random(in: 0...1, using: &generator) * scale
            let y = x + Float.random(in: -60...60, using: &generator) * Float.random(in: 0...1, using: &generator)
            let (low, high) = (min(x, y), max(x, y))
            let expected = high > low + 50 ? high : Float(Double(high) + log1p(exp(Double(low - high))))
            let bound = Double(max(abs(x), abs(y)))
            let sum = logarithms.logSum(x, y, error: RoundedLogarithms.error(forSumsUpTo: bound))
            #expect(sum.bitPattern == expected.bitPattern)
        }
    }

    @Test func `the smaller of two equal sums, and of infinite ones`() {
        #expect(logarithms.logSum(-3, -3, error: 1e-9) == Float(-3 + log(2.0)))
        #expect(logarithms.logSum(-.infinity, -2, error: 1e-9) == -2)
        #expect(logarithms.logSum(0, 0, error: 1e-9) == Float(log(2.0)))
    }

    @Test func `weighted exponentials have the bits that double precision gives`() {
        var generator = SeededGenerator(seed: 2)
        for _ in 0..<400_000 {
            let total = Float.random(in: 0...1, using: &generator) * (Bool.random(using: &generator) ? 1 : 3000)
            let weight = Float(Int.random(in: 1...5000, using: &generator))
            let x = -Float.random(in: -0.001...1, using: &generator) * Float.random(in: 0...120, using: &generator)
            let expected = Float(Double(total) + Double(weight) * exp(Double(x)))
            let sum = logarithms.adding(weight, timesExponentialOf: x, to: total)
            #expect(sum.bitPattern == expected.bitPattern)
        }
    }

    @Test func `digamma of known values`() {
        // psi(1) = -0.5772156649, psi(10) = 2.2517525890, psi(0.5) = -1.9635100260
        #expect(abs(digamma(1) + 0.5772156649) < 1e-8)
        #expect(abs(digamma(10) - 2.2517525890) < 1e-8)
        #expect(abs(digamma(0.5) + 1.9635100260) < 1e-8)
    }
}
