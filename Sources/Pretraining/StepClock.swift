import Foundation
import Glibc

/// The time that steps and evaluations take in this process, and how long the rest of the run will take.
final class StepClock {
    /// Times of one kind of work.
    struct Pace: Equatable {
        var seconds = 0.0
        var count = 0

        /// nil before anything was measured.
        var average: Double? { count > 0 ? seconds / Double(count) : nil }
    }

    private(set) var lastSeconds = 0.0
    private(set) var lastTargets = 0
    private(set) var targets = 0
    private(set) var steps = Pace()
    private(set) var evaluations = Pace()

    init(steps: Pace = Pace(), evaluations: Pace = Pace()) {
        self.steps = steps
        self.evaluations = evaluations
    }

    var lastTargetsPerSecond: Double { Double(lastTargets) / lastSeconds }
    /// Over all steps; evaluations and saving are not in it.
    var targetsPerSecond: Double { steps.seconds > 0 ? Double(targets) / steps.seconds : 0 }

    func measureStep(_ body: () throws -> StepRecord) rethrows -> StepRecord {
        let (record, seconds) = try measured(body)
        lastSeconds = seconds
        lastTargets = record.targets
        targets += lastTargets
        steps.seconds += seconds
        steps.count += 1
        return record
    }

    func measureEvaluation(_ body: () throws -> Void) rethrows {
        evaluations.seconds += try measured(body).seconds
        evaluations.count += 1
    }

    /// What so many steps and evaluations more will take; nil before the first step of this process.
    func secondsLeft(steps stepsLeft: Int, evaluations evaluationsLeft: Int) -> Double? {
        guard let step = steps.average else { return nil }
        return step * Double(stepsLeft) + (evaluations.average ?? 0) * Double(evaluationsLeft)
    }

    private func measured<R>(_ body: () throws -> R) rethrows -> (result: R, seconds: Double) {
        let clock = ContinuousClock()
        let start = clock.now
        let result = try body()
        return (result, start.duration(to: clock.now) / Duration.seconds(1))
    }
}

/// The most memory this process has held so far.
func peakMemoryBytes() -> Int {
    var usage = rusage()
    // Linux counts in KiB.
    return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? usage.ru_maxrss * 1024 : 0
}

/// A number with some digits behind the point.
func rounded(_ value: Double, _ digits: Int) -> String {
    String(format: "%.\(digits)f", value)
}
