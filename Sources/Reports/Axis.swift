import Foundation

/// A scale of numbers along one side of a plot, with marks at round ones.
struct Axis {
    let lower: Double
    let upper: Double
    let ticks: [Double]
    private let digits: Int

    /// A scale that holds the finite ones of the values.
    ///
    /// - Parameter includesZero: whether the scale begins at zero, as bars must.
    init(_ values: [Double], includesZero: Bool = false, marks: Int = 5) {
        let finite = values.filter(\.isFinite)
        var low = min(finite.min() ?? 0, includesZero ? 0 : .infinity)
        var high = max(finite.max() ?? 1, includesZero ? 0 : -.infinity)
        if high - low <= abs(high) * 1e-12 {
            // One value alone: it stands in the middle.
            let margin = high == 0 ? 1 : abs(high) * 0.1
            if !includesZero { low -= margin }
            high += margin
        }
        var step = roundStep((high - low) / Double(marks))
        var (first, last) = ((low / step).rounded(.down), (high / step).rounded(.up))
        // Between the ends of what a Double holds, or below its least, there are no round steps: any scale will do.
        if !(step > 0 && (first * step).isFinite && (last * step).isFinite && first < last) {
            (step, first, last) = (0.2, 0, 5)
        }
        ticks = stride(from: first, through: last, by: 1).map { $0 * step }
        lower = first * step
        upper = last * step
        digits = max(0, Int(-log10(step).rounded(.down)))
    }

    /// The place of a value between 0 and 1; what lies beyond an end stands there.
    func place(_ value: Double) -> Double { min(1, max(0, (value - lower) / (upper - lower))) }

    func text(_ tick: Double) -> String {
        if tick == 0 { return "0" }
        if digits > 4 { return String(format: "%.0e", tick).replacing("e-0", with: "e-") }
        if abs(tick) >= 1e6 { return String(format: "%gM", tick / 1e6) }
        if abs(tick) >= 1e4 { return String(format: "%gk", tick / 1e3) }
        return String(format: "%.\(digits)f", tick)
    }
}

/// The next of 1, 2 and 5 times a power of ten that is not below a width.
private func roundStep(_ width: Double) -> Double {
    let power = pow(10, log10(width).rounded(.down))
    let steps = [1.0, 2, 5, 10].map { $0 * power }
    return steps.first { $0 >= width * 0.999 } ?? 10 * power
}
