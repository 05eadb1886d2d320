import FileIO
import OrderedCollections
import OrderedJSON

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
        let header = try makeHeader(plans, metadata: metadata, path: path)
        var file = try OutputFile(path)
        try file.write(header.bytes)
        // A value that cannot be copied wants all that may throw before its first property is set.
        self.path = path
        self.file = file
        tensors = header.tensors
        fileBytes = header.tensors.last?.byteRange.upperBound ?? header.bytes.count
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

/// Sorts the tensors, places them and spells the header, its length and padding included.
private func makeHeader(
    _ plans: [TensorPlan], metadata: [String: String], path: String
) throws(SafetensorsError) -> (bytes: [UInt8], tensors: [TensorInfo]) {
    var members: OrderedDictionary<String, JSONValue> = [:]
    if !metadata.isEmpty {
        let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        members["__metadata__"] = .object(
            OrderedDictionary(uniqueKeysWithValues: pairs.map { ($0.key, .string($0.value)) }))
    }
    let ordered = safetensorsOrder(plans)
    var position = 0
    var ranges: [Range<Int>] = []
    for plan in ordered {
        guard let size = try? plan.type.byteCount(shape: plan.shape) else {
            throw .planMismatch(path: path, reason: "tensor \(quoted(plan.name)) has no size in bytes")
        }
        let (end, overflow) = position.addingReportingOverflow(size)
        if overflow { throw .planMismatch(path: path, reason: "the tensors are larger than any file") }
        guard plan.name != "__metadata__", members[plan.name] == nil else {
            throw .planMismatch(path: path, reason: "the name \(quoted(plan.name)) cannot be used twice")
        }
        members[plan.name] = [
            "dtype": .string(plan.type.rawValue), "shape": .array(plan.shape.map { .integer($0) }),
            "data_offsets": [.integer(position), .integer(end)],
        ]
        ranges.append(position..<end)
        position = end
    }
    var json = JSONValue.object(members).utf8(.line)
    json.append(contentsOf: repeatElement(0x20, count: (8 - json.count % 8) % 8))
    let start = 8 + json.count
    let bytes = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
    let tensors = zip(ordered, ranges).map { plan, range in
        TensorInfo(
            name: plan.name, type: plan.type, shape: plan.shape,
            byteRange: start + range.lowerBound..<start + range.upperBound)
    }
    return (bytes, tensors)
}

/// The order in which a file holds its tensors: by type, the most strictly aligned first, then by name.
public func safetensorsOrder(_ tensors: [TensorPlan]) -> [TensorPlan] {
    tensors.sorted {
        $0.type != $1.type ? $0.type.order > $1.type.order : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
}
