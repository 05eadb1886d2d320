import SeededRandom
import Testing

@testable import Pretraining

@Suite struct LearningRateScheduleTests {
    @Test func warmsUpToThePeakAndFallsByHalfACosine() {
        let schedule = LearningRateSchedule(peak: 1, steps: 12, warmupSteps: 3, minimumRatio: 0.1)
        #expect((1...3).map { schedule.rate(step: $0) } == [0.25, 0.5, 0.75])
        #expect(schedule.rate(step: 4) == 1)
        // A third of the way: cos(60 degrees) = 0.5, so three quarters of the way from 0.1 to 1.
        #expect(abs(schedule.rate(step: 7) - 0.775) < 1e-12)
        #expect(abs(schedule.rate(step: 10) - 0.325) < 1e-12)
        let rates = (4...12).map { schedule.rate(step: $0) }
        #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 > $1 })
        #expect(rates.allSatisfy { $0 > 0.1 })
    }

    @Test func withoutWarmUpStartsAtThePeak() {
        let schedule = LearningRateSchedule(peak: 2e-4, steps: 2, warmupSteps: 0, minimumRatio: 0)
        #expect(schedule.rate(step: 1) == 2e-4)
        #expect(abs(schedule.rate(step: 2) - 1e-4) < 1e-18)
    }

    @Test func aRunShorterThanItsWarmUpNeverReachesThePeak() {
        let schedule = LearningRateSchedule(peak: 1, steps: 2, warmupSteps: 9, minimumRatio: 0)
        #expect(schedule.rate(step: 2) == 0.2)
    }
}

extension BlockOrder {
    fileprivate mutating func blocks(_ places: Range<Int>) -> [Int] { places.map { block(at: $0) } }
}

@Suite struct ScheduleShapeTests {
    private func rates(_ shape: ScheduleShape, minimum: Double = 0, decay: Int? = nil) -> [Double] {
        let schedule = LearningRateSchedule(
            peak: 1, steps: 12, warmupSteps: 2, minimumRatio: minimum, shape: shape, decaySteps: decay)
        return (1...12).map { schedule.rate(step: $0) }
    }

    /// transformers' multiplier of its step - 1, 2, 3, ... after the warm-up of 2 of 12 steps.
    private func expect(_ rates: [Double], _ formula: (Double) -> Double) {
        #expect(rates.prefix(2) == [1.0 / 3, 2.0 / 3])
        for (index, rate) in rates.enumerated().dropFirst(2) {
            #expect(abs(rate - formula(Double(index))) < 1e-12, "step \(index + 1)")
        }
    }

    @Test func linearFallsInEqualParts() {
        expect(rates(.linear)) { (12 - $0) / (12 - 2) }
        expect(rates(.linear, minimum: 0.2)) { 0.2 + 0.8 * (12 - $0) / (12 - 2) }
    }

    @Test func constantStaysAtThePeak() {
        expect(rates(.constant, minimum: 0.5)) { _ in 1 }
    }

    @Test func stableThenDecayFallsInTheLastStepsOnly() {
        expect(rates(.wsd, minimum: 0.1, decay: 4)) { $0 < 8 ? 1 : 0.1 + 0.9 * (1 - ($0 - 8) / 4) }
        // A tenth of 12 steps, rounded up.
        expect(rates(.wsd)) { $0 < 10 ? 1 : 1 - ($0 - 10) / 2 }
        // More than there are after warm-up.
        expect(rates(.wsd, decay: 100)) { (12 - $0) / 10 }
    }

    @Test func warmUpByShareIsRoundedUpToWholeSteps() {
        var options = PretrainingOptions(model: "", text: [], stage: .full, out: "", length: .steps(30), threads: 1)
        options.warmupRatio = 0.05
        #expect(options.learningRateSchedule(steps: 30).warmupSteps == 2)
        #expect(options.learningRateSchedule(steps: 20).warmupSteps == 1)
    }
}

@Suite struct BlockOrderTests {
    @Test func everyEpochHoldsEveryBlockOnceInAnOrderOfItsOwn() {
        var order = BlockOrder(blockCount: 101, seed: 3)
        let epochs = (0..<3).map { order.blocks($0 * 101..<($0 + 1) * 101) }
        for epoch in epochs { #expect(epoch.sorted() == Array(0..<101)) }
        #expect(Set(epochs).count == 3)
        #expect(epochs[0] != Array(0..<101))
    }

    @Test func placesDependOnSeedAndNumberOnly() {
        var whole = BlockOrder(blockCount: 10, seed: 5)
        let expected = whole.blocks(0..<45)
        // As a resumed run asks: from the middle, across the end of an epoch, and back.
        var resumed = BlockOrder(blockCount: 10, seed: 5)
        #expect(resumed.blocks(27..<45) == Array(expected[27..<45]))
        #expect(resumed.blocks(0..<12) == Array(expected[0..<12]))
        var other = BlockOrder(blockCount: 10, seed: 6)
        #expect(other.blocks(0..<45) != expected)
    }

    @Test func drawsBelowALimitAreEvenAndFixed() {
        var generator = SplitMix64(seed: 1, purpose: 2, 0)
        let draws = (0..<6000).map { _ in generator.next(below: 6) }
        for value in UInt64(0)..<6 {
            let count = draws.count { $0 == value }
            #expect((880...1120).contains(count), "\(value) came \(count) times of 6000")
        }
        var again = SplitMix64(seed: 1, purpose: 2, 0)
        var swapped = SplitMix64(seed: 2, purpose: 1, 0)
        #expect((0..<6000).map { _ in again.next(below: 6) } == draws)
        #expect((0..<6000).map { _ in swapped.next(below: 6) } != draws)
    }
}
