import Foundation

/// log(exp(x) + exp(y)) and exp(x) with the very bits that libm's double precision gives after rounding to single.
///
/// Tables and short polynomials give a value with a known error; where that error could change the rounded result, which
/// is once in a thousand times or less, libm is asked.
///
/// The tables are made once and kept, as bare memory: counting references to them would cost the threads 8 % of their time.
struct RoundedLogarithms: @unchecked Sendable {
    /// log1p(exp(-t)) as cubic polynomials, one for each 1/32 of t.
    private let softplus: UnsafePointer<SIMD4<Double>>
    /// 2^(i/64).
    private let powers: UnsafePointer<Double>

    static let shared = RoundedLogarithms()

    private static let stepsPerUnit = 32.0
    /// Beyond it log1p(exp(-t)) is below half the distance of singles of 1 and above.
    private static let range = 17.5
    /// Of the polynomials (3e-10), the addition, and libm itself.
    static let softplusError = 6e-10
    /// Relative, of the cubic (4e-11), the reduction and libm.
    static let exponentialError = 1e-10
    /// Added to a double, it leaves the nearest integer in the lowest bits.
    private static let roundingShift = 6755399441055744.0

    private init() {
        let count = Int(Self.range * Self.stepsPerUnit) + 1
        softplus = table(count) { taylor(at: (Double($0) + 0.5) / Self.stepsPerUnit) }
        powers = table(64) { exp2(Double($0) / 64) }
    }

    /// What `logSum` must be given for sums whose magnitude is at most `bound`: what the table and double precision's own
    /// rounding may be off by.
    static func error(forSumsUpTo bound: Double) -> Double { softplusError + bound * 4.5e-16 }

    /// As sentencepiece computes it: the larger, plus log1p(exp(difference)) in double precision, rounded to single.
    @inline(__always)
    func logSum(_ x: Float, _ y: Float, error: Double) -> Float {
        let low = min(x, y)
        let high = max(x, y)
        if high > low + 50 { return high }
        let t = -Double(low - high)
        if t >= 17.5 { return abs(high) >= 1 ? high : exactLogSum(low, high) }
        let step = Int(t * Self.stepsPerUnit)
        let c = softplus[step]
        let r = t - (Double(step) + 0.5) * (1 / Self.stepsPerUnit)
        let value = Double(high) + (((c.w * r + c.z) * r + c.y) * r + c.x)
        let rounded = Float(value - error)
        return rounded == Float(value + error) ? rounded : exactLogSum(low, high)
    }

    @inline(never)
    private func exactLogSum(_ low: Float, _ high: Float) -> Float {
        Float(Double(high) + log1p(exp(Double(low - high))))
    }

    /// `total` plus `weight` times exp(x), computed in double precision and rounded to single.
    @inline(__always)
    func adding(_ weight: Float, timesExponentialOf x: Float, to total: Float) -> Float {
        let x = Double(x)
        if x < -80 || x > 80 { return exactSum(weight, x, total) }
        // exp(x) = 2^(n/64) * exp(r), |r| <= ln 2 / 128
        let shifted = x * (64 / 0.6931471805599453) + Self.roundingShift
        let n = Int(Int32(truncatingIfNeeded: shifted.bitPattern))
        let r = x - (shifted - Self.roundingShift) * (0.6931471805599453 / 64)
        let polynomial = 1 + r * (1 + r * (0.5 + r * (1.0 / 6)))
        let power = Double(bitPattern: UInt64(bitPattern: Int64((n >> 6) + 1023)) << 52)
        let product = Double(weight) * (powers[n & 63] * polynomial * power)
        let sum = Double(total) + product
        let error = product * Self.exponentialError + sum * 2.3e-16
        let rounded = Float(sum - error)
        return rounded == Float(sum + error) ? rounded : exactSum(weight, x, total)
    }

    @inline(never)
    private func exactSum(_ weight: Float, _ x: Double, _ total: Float) -> Float {
        Float(Double(total) + Double(weight) * exp(x))
    }
}

private func table<Entry: BitwiseCopyable>(_ count: Int, _ entry: (Int) -> Entry) -> UnsafePointer<Entry> {
    let entries = UnsafeMutablePointer<Entry>.allocate(capacity: count)
    for index in 0..<count { (entries + index).initialize(to: entry(index)) }
    return UnsafePointer(entries)
}

/// The cubic that touches log1p(exp(-t)) at `t` with three derivatives, in powers of the distance from there.
private func taylor(at t: Double) -> SIMD4<Double> {
    // s = 1 / (1 + exp(t)): the function's first derivative is -s, and s' = -s (1 - s).
    let s = 1 / (1 + exp(t))
    let q = s * (1 - s)
    return SIMD4(log1p(exp(-t)), -s, q / 2, -q * (1 - 2 * s) / 6)
}
