/// Floating-point operations a second that products of square float32 matrices reach here: the best of a few.
///
/// Takes some hundredths of a second.
public func measureMatmulRate(size: Int = 1024) throws(TorchError) -> Double {
    let matrix = try Tensor([Float](repeating: 0.5, count: size * size), shape: [size, size])
    let clock = ContinuousClock()
    var best = Duration.seconds(1 << 30)
    // The first also starts libtorch's threads.
    for _ in 0..<4 {
        let start = clock.now
        _ = try withoutGradients { () throws(TorchError) in try matrix.linear(matrix) }
        best = min(best, start.duration(to: clock.now))
    }
    let seconds = best / Duration.seconds(1)
    return 2 * Double(size) * Double(size) * Double(size) / seconds
}
