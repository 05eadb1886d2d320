internal import CTorch

extension Tensor {
    /// Whether operations on the tensor are recorded for `backward`.
    public var requiresGradient: Bool { kuoci_requires_gradient(handle) }

    /// Makes a leaf trainable, or frozen again.
    public func setRequiresGradient(_ required: Bool) throws(TorchError) {
        try check(kuoci_require_gradient(handle, required), "requires_grad")
    }

    /// The gradient that `backward` has added up so far, sharing its memory; nil where there is none.
    public func gradient() throws(TorchError) -> Tensor? {
        var result: OpaquePointer?
        try check(kuoci_gradient(handle, &result), "gradient")
        return result.map { Tensor(handle: $0) }
    }

    public func clearGradient() throws(TorchError) {
        try check(kuoci_clear_gradient(handle), "gradient")
    }

    /// Makes a gradient of zeros where there is none.
    public func assureGradient() throws(TorchError) {
        try check(kuoci_assure_gradient(handle), "gradient")
    }

    /// Adds `scale` times the gradient of this scalar to each trainable leaf; frees what was recorded.
    public func backward(scale: Float = 1) throws(TorchError) {
        try check(kuoci_backward(handle, scale), "backward")
    }

    /// Adds to each trainable leaf the gradient that it has by way of this tensor, whose own is `gradient`; frees what was
    /// recorded.
    public func backward(from gradient: Tensor) throws(TorchError) {
        try check(kuoci_backward_from(handle, gradient.handle), "backward")
    }

    /// Adds `values` to the gradient of this leaf.
    public func addGradient(_ values: Tensor) throws(TorchError) {
        try check(kuoci_add_gradient(handle, values.handle), "gradient")
    }

    /// The same memory, outside of what is recorded.
    public func detached() throws(TorchError) -> Tensor {
        try produce("detach") { kuoci_detach(handle, $0) }
    }
}

/// Runs `body` without recording anything for `backward`.
public func withoutGradients<R, E: Error>(_ body: () throws(E) -> R) throws(E) -> R {
    let previous = kuoci_set_gradients(false)
    defer { _ = kuoci_set_gradients(previous) }
    return try body()
}

/// Runs `body`, in which each backward pass tells `added`, as soon as it has added to the gradient of one of the leaves,
/// the leaf's index.
public func watchingGradients<R>(
    of leaves: [Tensor], added: (Int) -> Void, _ body: () throws -> R
) throws -> R {
    try withoutActuallyEscaping(added) { added in
        let listener = GradientListener(added: added)
        let context = Unmanaged.passUnretained(listener).toOpaque()
        let handles: [OpaquePointer?] = leaves.map { $0.handle }
        let count = Int32(leaves.count)
        return try withExtendedLifetime(listener) {
            // Nothing of a listener that is gone may stay behind, whatever is thrown.
            defer { _ = kuoci_watch_gradients(handles, count, nil, nil) }
            try check(
                kuoci_watch_gradients(
                    handles, count,
                    { context, index in
                        guard let context else { return }
                        Unmanaged<GradientListener>.fromOpaque(context).takeUnretainedValue().added(Int(index))
                    }, context), "watching gradients")
            return try body()
        }
    }
}

private final class GradientListener {
    let added: (Int) -> Void

    init(added: @escaping (Int) -> Void) {
        self.added = added
    }
}
