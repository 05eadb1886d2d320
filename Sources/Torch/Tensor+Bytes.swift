internal import CTorch

extension Tensor {
    public static func zeros(
        _ shape: [Int], _ element: ElementType = .float32, on device: ComputeDevice = .cpu
    ) throws(TorchError) -> Tensor {
        try produce("zeros") {
            kuoci_zeros(element.rawValue, device.number, dimensions(shape), Int32(shape.count), $0)
        }
    }

    public convenience init(_ values: [Float], shape: [Int]) throws(TorchError) {
        self.init(handle: try copyIn(values, .float32, shape))
    }

    public convenience init(ids values: [Int64], shape: [Int]) throws(TorchError) {
        self.init(handle: try copyIn(values, .int64, shape))
    }

    /// A tensor with a copy of row-major bytes.
    public convenience init(
        copying bytes: UnsafeRawBufferPointer, element: ElementType, shape: [Int]
    ) throws(TorchError) {
        try checkSize(bytes.count, element, shape)
        var handle: OpaquePointer?
        try check(
            kuoci_copy_in(bytes.baseAddress, element.rawValue, dimensions(shape), Int32(shape.count), &handle), "copy")
        guard let handle else { preconditionFailure("a C function succeeded without a result") }
        self.init(handle: handle)
    }

    /// A tensor over row-major bytes that `owner` keeps alive and unchanged. The tensor holds on to `owner`.
    ///
    /// Nothing may write to it where the bytes are read-only. Bytes that are not aligned for the element are copied.
    public convenience init(
        borrowing bytes: UnsafeRawBufferPointer, owner: AnyObject, element: ElementType, shape: [Int]
    ) throws(TorchError) {
        guard Int(bitPattern: bytes.baseAddress) % element.size == 0, bytes.count > 0 else {
            try self.init(copying: bytes, element: element, shape: shape)
            return
        }
        try checkSize(bytes.count, element, shape)
        let retained = Unmanaged.passRetained(owner).toOpaque()
        let release: @convention(c) (UnsafeMutableRawPointer?) -> Void = { context in
            if let context { Unmanaged<AnyObject>.fromOpaque(context).release() }
        }
        var handle: OpaquePointer?
        try check(
            kuoci_borrow(
                bytes.baseAddress, element.rawValue, dimensions(shape), Int32(shape.count), release, retained, &handle),
            "borrow")
        guard let handle else { preconditionFailure("a C function succeeded without a result") }
        self.init(handle: handle)
    }

    /// The elements' bytes, row-major, wherever they lie.
    public func bytes() throws(TorchError) -> [UInt8] {
        let size = count * element.size
        var status: Int32 = 0
        let result = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
            status = kuoci_copy_out(handle, buffer.baseAddress, Int64(size))
            filled = status == 0 ? size : 0
        }
        try check(status, "copy")
        return result
    }

    /// The elements as numbers, row-major, whatever their type.
    public func floats() throws(TorchError) -> [Float] {
        let values = try converted(to: .float32)
        var status: Int32 = 0
        let size = values.count
        let result = [Float](unsafeUninitializedCapacity: size) { buffer, filled in
            status = kuoci_copy_out(values.handle, buffer.baseAddress, Int64(size * 4))
            filled = status == 0 ? size : 0
        }
        try check(status, "copy")
        return result
    }

    /// The elements of a float32 tensor in place; valid while the tensor lives.
    ///
    /// - Throws: `TorchError.failed` where they do not lie one after another in this process's memory.
    public func floatElements() throws(TorchError) -> UnsafeMutableBufferPointer<Float> {
        precondition(element == .float32, "numbers of another type")
        return try elementBytes().assumingMemoryBound(to: Float.self)
    }

    /// The bytes of the elements in place; valid while the tensor lives.
    ///
    /// - Throws: `TorchError.failed` where they do not lie one after another in this process's memory.
    public func elementBytes() throws(TorchError) -> UnsafeMutableRawBufferPointer {
        var elements: UnsafeMutableRawPointer?
        try check(kuoci_elements(handle, element.rawValue, &elements), "elements")
        return UnsafeMutableRawBufferPointer(start: elements, count: elements == nil ? 0 : byteCount)
    }

    /// Where the elements lie on the tensor's device, one after another; valid while the tensor lives.
    public func address() throws(TorchError) -> UnsafeMutableRawPointer? {
        var address: UnsafeMutableRawPointer?
        try check(kuoci_address(handle, &address), "address")
        return address
    }

    /// The only element of a tensor that has one.
    public func scalar() throws(TorchError) -> Float {
        precondition(count == 1, "a tensor of shape \(shape) is no scalar")
        return try floats()[0]
    }

    /// The tensor in another element type or on another device; may share memory where both are the same already.
    public func converted(
        to element: ElementType? = nil, on device: ComputeDevice? = nil
    ) throws(TorchError) -> Tensor {
        try convert(element, device, copies: false)
    }

    /// A copy with memory of its own.
    public func copied(as element: ElementType? = nil, on device: ComputeDevice? = nil) throws(TorchError) -> Tensor {
        try convert(element, device, copies: true)
    }

    private func convert(
        _ element: ElementType?, _ device: ComputeDevice?, copies: Bool
    ) throws(TorchError) -> Tensor {
        try produce("copy") {
            kuoci_convert(
                handle, (element ?? self.element).rawValue, (device ?? self.device).number, copies, $0)
        }
    }

    /// Overwrites the elements with those of `values`, converted; the shapes must be equal.
    public func assign(_ values: Tensor) throws(TorchError) {
        try check(kuoci_assign(handle, values.handle), "assign")
    }
}

private func checkSize(_ found: Int, _ element: ElementType, _ shape: [Int]) throws(TorchError) {
    var expected = element.size
    for size in shape {
        let (product, overflow) = expected.multipliedReportingOverflow(by: size)
        guard !overflow, size >= 0 else { throw .wrongSize(expected: Int.max, found: found) }
        expected = product
    }
    guard expected == found else { throw .wrongSize(expected: expected, found: found) }
}

private func copyIn<Element>(
    _ values: [Element], _ element: ElementType, _ shape: [Int]
) throws(TorchError) -> OpaquePointer {
    var handle: OpaquePointer?
    var status: Int32 = 0
    try checkSize(values.count * element.size, element, shape)
    values.withUnsafeBytes { bytes in
        status = kuoci_copy_in(bytes.baseAddress, element.rawValue, dimensions(shape), Int32(shape.count), &handle)
    }
    try check(status, "copy")
    guard let handle else { preconditionFailure("a C function succeeded without a result") }
    return handle
}
