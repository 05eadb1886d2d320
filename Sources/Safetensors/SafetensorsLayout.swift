import FileIO
import OrderedCollections
import OrderedJSON

/// Where each byte of a safetensors file is to be: its header and order byte for byte as the reference writer's.
public struct SafetensorsLayout: Sendable {
    /// The file's beginning: the header's length, its JSON and its padding.
    public let header: [UInt8]
    /// In the order of their bytes: by type, the most strictly aligned first, then by name.
    public let tensors: [TensorInfo]

    /// Bytes in the whole file.
    public var fileBytes: Int { tensors.last?.byteRange.upperBound ?? header.count }

    /// - Parameter path: The file's, for messages.
    /// - Throws: `SafetensorsError.planMismatch` for a repeated name or a size out of range.
    public init(
        _ plans: [TensorPlan], metadata: [String: String] = ["format": "pt"], path: String
    ) throws(SafetensorsError) {
        var members = metadataMember(metadata)
        let ordered = safetensorsOrder(plans)
        var position = 0
        var ranges: [Range<Int>] = []
        for plan in ordered {
            let end = try endOfBytes(plan, from: position, path: path)
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
        guard !position.addingReportingOverflow(start).overflow else {
            throw .planMismatch(path: path, reason: "the tensors are larger than any file")
        }
        header = withUnsafeBytes(of: UInt64(json.count).littleEndian) { Array($0) } + json
        tensors = zip(ordered, ranges).map { plan, range in
            TensorInfo(
                name: plan.name, type: plan.type, shape: plan.shape,
                byteRange: start + range.lowerBound..<start + range.upperBound)
        }
    }
}

/// What the file says of itself, first in the header and sorted by key; nothing where there is nothing to say.
private func metadataMember(_ metadata: [String: String]) -> OrderedDictionary<String, JSONValue> {
    if metadata.isEmpty { return [:] }
    let pairs = metadata.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    return ["__metadata__": .object(OrderedDictionary(uniqueKeysWithValues: pairs.map { ($0.key, .string($0.value)) }))]
}

private func endOfBytes(_ plan: TensorPlan, from position: Int, path: String) throws(SafetensorsError) -> Int {
    guard let size = try? plan.type.byteCount(shape: plan.shape) else {
        throw .planMismatch(path: path, reason: "tensor \(quoted(plan.name)) has no size in bytes")
    }
    let (end, overflow) = position.addingReportingOverflow(size)
    if overflow { throw .planMismatch(path: path, reason: "the tensors are larger than any file") }
    return end
}

/// The order in which a file holds its tensors: by type, the most strictly aligned first, then by name.
public func safetensorsOrder(_ tensors: [TensorPlan]) -> [TensorPlan] {
    tensors.sorted {
        $0.type != $1.type ? $0.type.order > $1.type.order : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
}
