import Glibc

/// Linear warm-up, then half a cosine down to a share of the peak.
package struct LearningRateSchedule: Sendable {
    package let peak: Double
    package let steps: Int
    package let warmupSteps: Int
    /// The rate at the end of the run, as a share of the peak.
    package let minimumRatio: Double

    package init(peak: Double, steps: Int, warmupSteps: Int, minimumRatio: Double) {
        self.peak = peak
        self.steps = steps
        self.warmupSteps = warmupSteps
        self.minimumRatio = minimumRatio
    }

    /// The rate of a step, counted from 1.
    ///
    /// Warm-up step s of W has peak * s / (W + 1), so that step W + 1 is the first at the peak and no step is spent
    /// at zero. From there progress runs from 0 in equal parts and would reach 1, the minimum, after the last step.
    package func rate(step: Int) -> Double {
        precondition(step >= 1, "steps count from 1")
        if step <= warmupSteps { return peak * Double(step) / Double(warmupSteps + 1) }
        let progress = Double(step - 1 - warmupSteps) / Double(max(1, steps - warmupSteps))
        let share = 0.5 * (1 + cos(.pi * min(1, progress)))
        return peak * (minimumRatio + (1 - minimumRatio) * share)
    }
}
