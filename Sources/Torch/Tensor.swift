internal import CTorch

/// The element types that Kuoci computes with or reads.
public enum ElementType: Int32, Sendable, CaseIterable {
    case float32 = 0
    case bfloat16 = 1
    case float16 = 2
    case int64 = 3
    /// Codes of moments in 8 bits.
    case uint8 = 4

    /// Bytes per element.
    public var size: Int {
        switch self {
        case .uint8: 1
        case .bfloat16, .float16: 2
        case .float32: 4
        case .int64: 8
        }
    }
}

/// A libtorch tensor: shared memory with a shape, recorded by autograd.
///
/// Two values may share memory (`narrowed`, `detached`, `gradient`). Not safe to use from two threads at once.
public final class Tensor {
    let handle: OpaquePointer

    /// Takes over a handle that the C layer made.
    init(handle: OpaquePointer) {
        self.handle = handle
    }

    deinit { kuoci_tensor_free(handle) }

    public var shape: [Int] {
        (0..<kuoci_rank(handle)).map { Int(kuoci_size(handle, $0)) }
    }

    /// Elements in all.
    public var count: Int { shape.reduce(1, *) }
    /// Bytes of the elements.
    public var byteCount: Int { count * element.size }

    public var element: ElementType {
        guard let element = ElementType(rawValue: kuoci_element(handle)) else {
            preconditionFailure("no operation of ours makes another element type")
        }
        return element
    }

    public var device: ComputeDevice { ComputeDevice(number: kuoci_device(handle)) }
}

/// Runs a C function that makes a tensor.
func produce(
    _ operation: StaticString, _ body: (UnsafeMutablePointer<OpaquePointer?>) -> Int32
) throws(TorchError) -> Tensor {
    var handle: OpaquePointer?
    try check(body(&handle), operation)
    guard let handle else { preconditionFailure("a C function succeeded without a result") }
    return Tensor(handle: handle)
}

func dimensions(_ shape: [Int]) -> [Int64] {
    shape.map { Int64($0) }
}
