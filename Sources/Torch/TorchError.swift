internal import CTorch

/// What libtorch, or a wrong use of it, made fail.
public enum TorchError: Error, Equatable {
    /// An operation that libtorch refused: shapes that do not fit, memory that is not there.
    case failed(operation: String, reason: String)
    /// Bytes whose number does not fit the shape.
    case wrongSize(expected: Int, found: Int)
    /// A value of another shape than the tensor that it is to replace.
    case wrongShape(name: String, expected: [Int], found: [Int])
    /// A saved value of another type than the state that it is to become.
    case wrongElement(name: String, expected: ElementType, found: ElementType)
    case missingState(name: String)
    case badThreads(count: Int)
}

extension TorchError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .failed(let operation, let reason):
            "\(operation) failed in libtorch: \(reason.prefix { $0 != "\n" })"
                + (reason.contains("allocate") ? "; use smaller batches or blocks" : "")
        case .wrongSize(let expected, let found):
            "a tensor that needs \(expected) bytes was given \(found); check the shape"
        case .wrongShape(let name, let expected, let found):
            "\(name): has the shape \(found) where \(expected) is needed; take it from a run with the same model"
        case .wrongElement(let name, let expected, let found):
            "\(name): holds \(found) where \(expected) is needed; take it from a run with the same --optimizer-state"
        case .missingState(let name):
            "\(name): is missing from the optimizer's saved state; resume from another checkpoint"
        case .badThreads(let count):
            "\(count) threads: must be \(TorchRuntime.threadCounts.lowerBound) to"
                + " \(TorchRuntime.threadCounts.upperBound); give another --threads"
        }
    }
}

/// Throws the last failure of this thread if `status` tells of one.
func check(_ status: Int32, _ operation: StaticString) throws(TorchError) {
    guard status != 0 else { return }
    throw .failed(operation: "\(operation)", reason: String(cString: kuoci_last_error()))
}
