import Foundation
import Glibc

/// The time that training steps take in this process; evaluations and saving are not in it.
final class StepClock {
    private(set) var lastSeconds = 0.0
    private(set) var lastTargets = 0
    private(set) var seconds = 0.0
    private(set) var targets = 0

    var lastTargetsPerSecond: Double { Double(lastTargets) / lastSeconds }
    /// Over all steps.
    var targetsPerSecond: Double { seconds > 0 ? Double(targets) / seconds : 0 }

    func measure(targets count: () -> Int, _ body: () throws -> Void) rethrows {
        let before = count()
        let clock = ContinuousClock()
        let start = clock.now
        try body()
        let elapsed = start.duration(to: clock.now)
        lastSeconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        lastTargets = count() - before
        seconds += lastSeconds
        targets += lastTargets
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
