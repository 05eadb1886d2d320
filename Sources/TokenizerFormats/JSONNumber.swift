/// A number as `tokenizers` reads it from JSON: its digits as a whole number, rounded to a double, times or over a power of
/// ten, rounded again.
///
/// In a quarter of the scores of a converted model that is one unit in the last place off, and where two segmentations
/// are equal but for rounding, it decides between them.
func twiceRoundedDouble(_ spelling: String) -> Double? {
    guard Double(spelling)?.isFinite == true else { return nil }
    var digits: UInt64 = 0
    var exponent = 0
    var isFraction = false
    var isFull = false
    var isNegative = false
    for (index, byte) in spelling.utf8.enumerated() {
        switch byte {
        case UInt8(ascii: "-"): isNegative = true
        case UInt8(ascii: "."): isFraction = true
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
            let written = Int(spelling.dropFirst(index + 1)) ?? 0
            return scaled(digits, by: exponent + max(-10_000, min(10_000, written)), isNegative)
        default:
            let (shifted, overflowed) = digits.multipliedReportingOverflow(by: 10)
            let (sum, carried) = shifted.addingReportingOverflow(UInt64(byte & 0x0F))
            isFull = isFull || overflowed || carried
            // Digits beyond 64 bits only move the point.
            if isFull {
                exponent += isFraction ? 0 : 1
            } else {
                (digits, exponent) = (sum, exponent - (isFraction ? 1 : 0))
            }
        }
    }
    return scaled(digits, by: exponent, isNegative)
}

private func scaled(_ digits: UInt64, by exponent: Int, _ isNegative: Bool) -> Double {
    var value = Double(digits)
    var left = exponent
    while left < -308, value != 0 {
        value /= 1e308
        left += 308
    }
    if let power = Double("1e\(abs(left))") { value = left >= 0 ? value * power : value / power }
    return isNegative ? -value : value
}
