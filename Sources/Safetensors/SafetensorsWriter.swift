import FileIO

/// Writes one safetensors file in a stream, its header and order byte for byte as the reference writer's.
///
/// Hand over the bytes of `tensors` one after another, in chunks of any size, then `finish()`.
/// Dropped before that, it leaves nothing behind.
public struct SafetensorsWriter: ~Copyable {
    public let path: String
    /// The tensors in the order in which their bytes are due: by type, the most strictly aligned first, then by name.
    public let tensors: [TensorInfo]
    private var file: OutputFile
    private let fileBytes: Int

    /// - Throws: `SafetensorsError.planMismatch` for a repeated name or a size out of range, `FileError`.
    public init(
        _ path: String, tensors plans: [TensorPlan], metadata: [String: String] = ["format": "pt"]
    ) throws {
        let layout = try SafetensorsLayout(plans, metadata: metadata, path: path)
        var file = try OutputFile(path)
        try file.write(layout.header)
        // A value that cannot be copied wants all that may throw before its first property is set.
        self.path = path
        self.file = file
        tensors = layout.tensors
        fileBytes = layout.fileBytes
    }

    /// Bytes of tensors still to come.
    public var missing: Int { fileBytes - file.count }

    public mutating func write(bytes: UnsafeRawBufferPointer) throws {
        try expect(bytes.count)
        try file.write(bytes: bytes)
    }

    public mutating func write(_ bytes: [UInt8]) throws {
        try expect(bytes.count)
        try file.write(bytes)
    }

    private func expect(_ count: Int) throws {
        if count > missing {
            throw SafetensorsError.planMismatch(path: path, reason: "\(count - missing) bytes more than planned")
        }
    }

    /// Syncs the file and gives it its name.
    ///
    /// - Throws: `SafetensorsError.planMismatch` if bytes are missing.
    public consuming func finish() throws {
        guard missing == 0 else {
            throw SafetensorsError.planMismatch(path: path, reason: "\(missing) bytes fewer than planned")
        }
        try file.commit()
    }
}

/// Writes a file whose tensors are all in memory.
public func writeSafetensors(
    _ path: String, _ tensors: [(plan: TensorPlan, bytes: [UInt8])], metadata: [String: String] = ["format": "pt"]
) throws {
    var writer = try SafetensorsWriter(path, tensors: tensors.map(\.plan), metadata: metadata)
    let contents = Dictionary(tensors.map { ($0.plan.name, $0.bytes) }, uniquingKeysWith: { first, _ in first })
    for tensor in writer.tensors {
        let bytes = contents[tensor.name] ?? []
        guard bytes.count == tensor.byteCount else {
            throw SafetensorsError.planMismatch(
                path: path, reason: "tensor \(quoted(tensor.name)) has \(bytes.count) bytes, not \(tensor.byteCount)")
        }
        try writer.write(bytes)
    }
    try writer.finish()
}
