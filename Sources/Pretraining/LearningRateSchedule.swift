import Glibc

/// How the learning rate falls after warm-up.
public enum ScheduleShape: String, Sendable, CaseIterable {
    /// Half a cosine.
    case cosine
    case linear
    /// It does not.
    case constant
    /// Warm-up, stable, decay: it stays at the peak and falls linearly over the last steps.
    case wsd
}

/// The learning rate of each step: linear warm-up, then a shape that falls to a share of the peak.
///
/// After warm-up, step s of T has the rate that transformers' schedules of these names give to their step s - 1, which
/// count from 0; `wsd` is theirs with `decay_type="linear"`. Warm-up differs: theirs has peak * (s - 1) / W, which
/// spends the first step at zero.
package struct LearningRateSchedule: Sendable {
    package let peak: Double
    package let steps: Int
    package let warmupSteps: Int
    /// The rate at the end of the run, as a share of the peak.
    package let minimumRatio: Double
    package let shape: ScheduleShape
    /// Steps at the end in which `wsd` falls.
    package let decaySteps: Int

    /// - Parameter decaySteps: nil is a tenth of the steps; only `wsd` asks.
    package init(
        peak: Double, steps: Int, warmupSteps: Int, minimumRatio: Double, shape: ScheduleShape = .cosine,
        decaySteps: Int? = nil
    ) {
        self.peak = peak
        self.steps = steps
        self.warmupSteps = warmupSteps
        self.minimumRatio = minimumRatio
        self.shape = shape
        self.decaySteps = min(decaySteps ?? (steps + 9) / 10, max(0, steps - warmupSteps))
    }

    /// The rate of a step, counted from 1.
    ///
    /// Warm-up step s of W has peak * s / (W + 1), so that step W + 1 is the first at the peak and no step is spent
    /// at zero. From there progress runs from 0 in equal parts and would reach 1, the minimum, after the last step.
    package func rate(step: Int) -> Double {
        precondition(step >= 1, "steps count from 1")
        if step <= warmupSteps { return peak * Double(step) / Double(warmupSteps + 1) }
        return peak * (minimumRatio + (1 - minimumRatio) * share(step))
    }

    /// What is left of the way from the peak down to the minimum.
    private func share(_ step: Int) -> Double {
        switch shape {
        case .cosine: 0.5 * (1 + cos(.pi * progress(step, over: steps - warmupSteps)))
        case .linear: 1 - progress(step, over: steps - warmupSteps)
        case .constant: 1
        case .wsd: 1 - progress(step, over: decaySteps)
        }
    }

    /// How far the step is into the last `count` steps, 0 for their first and for all before.
    private func progress(_ step: Int, over count: Int) -> Double {
        min(1, max(0, Double(step - 1 - (steps - count)) / Double(max(1, count))))
    }
}
