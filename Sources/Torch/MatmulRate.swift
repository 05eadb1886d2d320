/// Floating-point operations a second that products of square matrices reach there: the best of a few.
///
/// Takes some tenths of a second.
public func measureMatmulRate(_ computation: Computation = .standard) throws(TorchError) -> Double {
    // A GPU is not filled by what keeps a few cores busy for long enough.
    let size = computation.device == .cpu ? 1024 : 8192
    let matrix = try Tensor([Float](repeating: 0.5, count: size * size), shape: [size, size])
        .converted(to: computation.precision.element, on: computation.device)
    let clock = ContinuousClock()
    // On a busy machine few products have all cores to themselves; a device's are this program's alone.
    let shortest = computation.device == .cpu ? Duration.milliseconds(400) : .zero
    let beginning = clock.now
    var best = Duration.seconds(1 << 30)
    var products = 0
    // The first also starts libtorch's threads.
    while products < 4 || beginning.duration(to: clock.now) < shortest {
        let start = clock.now
        let product = try withoutGradients { () throws(TorchError) in try matrix.linear(matrix) }
        // A device works on by itself until a number is asked for.
        if computation.device != .cpu { _ = try product.narrowed(start: 0, length: 1).floats() }
        best = min(best, start.duration(to: clock.now))
        products += 1
    }
    let seconds = best / Duration.seconds(1)
    return 2 * Double(size) * Double(size) * Double(size) / seconds
}
