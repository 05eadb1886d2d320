internal import CTorch

/// Elements whose squares are added up at a time: where several processes each know the gradients of some parts alone, a
/// part must not be cut between them.
public let gradientNormPart = Int(kuoci_squares_part)

/// The Euclidean norm of all gradients of `parameters` together, before they are scaled down to at most `limit`.
///
/// Equal to PyTorch's `clip_grad_norm_`. A limit of zero or less only measures.
/// - Parameters:
///   - scale: What the gradients were multiplied by; they are divided by it first, unless one is no finite number.
///   - parts: Which elements of each gradient are known here, and scaled; nil: all. What is known elsewhere begins and ends
///     at a multiple of `gradientNormPart`, or where the parameter does, and is in a processor's memory.
///   - sum: Adds to each number, 0 for a part that is not known here, what the others have for it.
public func clipGradientNorm(
    _ parameters: [Tensor], limit: Double, scale: Double = 1, parts: [Range<Int>]? = nil,
    sum: ([Double]) throws -> [Double] = { $0 }
) throws -> Double {
    let known = try zip(parameters, parts ?? parameters.map { 0..<$0.count }).filter { try $0.0.gradient() != nil }
    let own = known.filter { $0.0.device == .cpu }
    let sums = try sum(own.flatMap { try squareSums(of: $0, $1) })
    var total = 0.0
    var place = 0
    for (parameter, _) in own {
        let end = place + squareCount(parameter.count)
        total += sums[place..<end].reduce(0, +)
        place = end
    }
    var other = 0.0
    let elsewhere: [OpaquePointer?] = known.filter { $0.0.device != .cpu }.map { $0.0.handle }
    try check(kuoci_gradient_norm(elsewhere, Int32(elsewhere.count), &other), "gradient norm")
    let norm = (total + other * other).squareRoot() / scale
    // PyTorch adds the same 1e-6.
    let factor = (limit > 0 ? min(limit / (norm + 1e-6), 1) : 1) / scale
    if factor != 1, norm.isFinite {
        for (parameter, part) in known {
            try check(
                kuoci_scale_gradient(parameter.handle, Int64(part.lowerBound), Int64(part.count), factor), "clipping")
        }
    }
    return norm
}

/// The sums of squares of all parts of a gradient; 0 for those that lie outside of `part`.
private func squareSums(of parameter: Tensor, _ part: Range<Int>) throws(TorchError) -> [Double] {
    var sums = [Double](repeating: 0, count: squareCount(parameter.count))
    if part.isEmpty { return sums }
    let first = part.lowerBound / gradientNormPart
    precondition(
        part.lowerBound.isMultiple(of: gradientNormPart)
            && (part.upperBound.isMultiple(of: gradientNormPart) || part.upperBound == parameter.count),
        "a part of a gradient that is cut in the middle of a sum")
    var status: Int32 = 0
    sums.withUnsafeMutableBufferPointer { sums in
        let known = UnsafeMutableBufferPointer(rebasing: sums[first..<first + squareCount(part.count)])
        status = kuoci_gradient_squares(
            parameter.handle, Int64(part.lowerBound), Int64(part.count), known.baseAddress)
    }
    try check(status, "gradient norm")
    return sums
}

private func squareCount(_ elements: Int) -> Int { (elements + gradientNormPart - 1) / gradientNormPart }
