import Foundation

/// A quotient, not a number where the lower part is zero: JSON shows null then, and a table a dash.
func ratio(_ upper: Int, _ lower: Int) -> Double {
    lower == 0 ? .nan : Double(upper) / Double(lower)
}

/// A number with so many digits after the point.
package func fixed(_ value: Double, _ digits: Int) -> String {
    if !value.isFinite { return "-" }
    let text = String(format: "%.\(digits)f", value)
    // What rounds to zero has no sign.
    return text.hasPrefix("-") && !text.contains { ("1"..."9").contains($0) } ? String(text.dropFirst()) : text
}

/// A share in percent: `12.3 %`.
func percent(_ share: Double, _ digits: Int) -> String {
    share.isFinite ? fixed(100 * share, digits) + " %" : "-"
}
