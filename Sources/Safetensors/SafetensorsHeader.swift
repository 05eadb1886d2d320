import OrderedCollections
import OrderedJSON

/// The validated header of a safetensors file: every offset in it lies inside the file.
struct SafetensorsHeader {
    /// By offset.
    var tensors: [TensorInfo] = []
    var metadata: [String: String] = [:]

    /// The longest header that the reference reader takes.
    static let longest: UInt64 = 100_000_000

    /// Parses the header of a whole file in the reference reader's order of checks.
    init(validating file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
        do throws(SafetensorsError) {
            try read(file, path: path)
        } catch {
            // A file of another kind fails somewhere above; its kind says more than where.
            if let kind = SafetensorsError.ForeignKind(file) { throw .foreign(path: path, kind: kind) }
            throw error
        }
    }

    private mutating func read(_ file: UnsafeRawBufferPointer, path: String) throws(SafetensorsError) {
        let json = try Self.parseJSON(file, path: path)
        guard let members = json.value.object else {
            throw .invalidHeaderJSON(path: path, reason: "not a JSON object")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(members.count)
        for (name, value) in members {
            if name == "__metadata__" {
                metadata = try Self.parseMetadata(value, path: path)
            } else {
                entries.append(try Entry(name, value, path: path))
            }
        }
        entries.sort { ($0.begin, $0.end) < ($1.begin, $1.end) }
        try validate(entries, dataStart: json.end, fileBytes: file.count, path: path)
    }

    private static func parseJSON(
        _ file: UnsafeRawBufferPointer, path: String
    ) throws(SafetensorsError) -> (value: JSONValue, end: Int) {
        guard file.count >= 8 else { throw .headerTooSmall(path: path, bytes: file.count) }
        let announced = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard announced <= longest else { throw .headerTooLarge(path: path, length: announced) }
        let length = Int(announced)
        guard length <= file.count - 8 else {
            throw .invalidHeaderLength(path: path, length: length, fileBytes: file.count)
        }
        let header = UnsafeRawBufferPointer(rebasing: file[8..<8 + length])
        guard String(validating: header, as: UTF8.self) != nil else {
            throw .invalidHeader(path: path, offset: 8 + firstInvalidByte(header))
        }
        do throws(JSONError) {
            return (try JSONValue(parsing: header), 8 + length)
        } catch {
            var place = error
            place.offset += 8
            throw .invalidHeaderJSON(path: path, reason: "\(place)")
        }
    }

    private static func parseMetadata(
        _ value: JSONValue, path: String
    ) throws(SafetensorsError) -> [String: String] {
        // The reference reader takes null for an absent one.
        if value.isNull { return [:] }
        guard let members = value.object else {
            throw .invalidEntry(path: path, tensor: "__metadata__", reason: "not an object")
        }
        var metadata: [String: String] = [:]
        for (key, value) in members {
            guard let text = value.string else {
                throw .invalidEntry(path: path, tensor: "__metadata__", reason: "\(quoted(key)) is not a string")
            }
            metadata[key] = text
        }
        return metadata
    }

    private mutating func validate(
        _ entries: [Entry], dataStart: Int, fileBytes: Int, path: String
    ) throws(SafetensorsError) {
        tensors.reserveCapacity(entries.count)
        var position = 0
        for entry in entries {
            guard entry.begin == position, entry.end >= entry.begin else {
                let found = entry.begin == position ? entry.end : entry.begin
                throw .invalidOffset(path: path, tensor: entry.name, expected: position, found: found)
            }
            let size = try entry.size(path: path)
            guard entry.end - entry.begin == size else {
                throw .tensorInvalidInfo(
                    path: path, tensor: entry.name, expected: size, found: entry.end - entry.begin)
            }
            // Checked against the file at once, so that the sum below cannot overflow.
            guard entry.end <= fileBytes - dataStart else {
                let (expected, _) = entry.end.addingReportingOverflow(dataStart)
                throw .metadataIncompleteBuffer(path: path, expected: max(expected, entry.end), found: fileBytes)
            }
            let range = dataStart + entry.begin..<dataStart + entry.end
            tensors.append(TensorInfo(name: entry.name, type: entry.type, shape: entry.shape, byteRange: range))
            position = entry.end
        }
        guard dataStart + position == fileBytes else {
            throw .metadataIncompleteBuffer(path: path, expected: dataStart + position, found: fileBytes)
        }
    }
}

/// One tensor as the header spells it; nothing checked yet but the JSON's types.
private struct Entry {
    let name: String
    let type: TensorType
    let shape: [Int]
    let begin: Int
    let end: Int

    init(_ name: String, _ value: JSONValue, path: String) throws(SafetensorsError) {
        func wrong(_ reason: String) -> SafetensorsError { .invalidEntry(path: path, tensor: name, reason: reason) }
        guard let members = value.object ?? membersByPlace(value) else { throw wrong("not an object") }
        guard let typeName = members["dtype"].flatMap(variantName) else { throw wrong("dtype is missing") }
        guard let type = TensorType(rawValue: typeName) else { throw wrong("dtype \(quoted(typeName)) is unknown") }
        guard let shape = members["shape"]?.array.flatMap(naturalNumbers) else {
            throw wrong("shape is not a list of whole numbers")
        }
        guard let offsets = members["data_offsets"]?.array.flatMap(naturalNumbers), offsets.count == 2 else {
            throw wrong("data_offsets is not a pair of whole numbers")
        }
        guard members.values.allSatisfy(holdsDoublesOnly) else { throw wrong("a number in it is out of range") }
        self.name = name
        self.type = type
        self.shape = shape
        begin = offsets[0]
        end = offsets[1]
    }

    func size(path: String) throws(SafetensorsError) -> Int {
        do throws(TensorSizeError) {
            return try type.byteCount(shape: shape)
        } catch {
            switch error {
            case .overflow: throw .validationOverflow(path: path, tensor: name)
            case .partialByte: throw .misalignedSlice(path: path, tensor: name)
            }
        }
    }
}

// The reference reader is derived from its types by serde, which takes more than the format's text says. Taken here too,
// so that whether a file is sound does not depend on who reads it.

/// An entry written as an array: its members in their order.
private func membersByPlace(_ value: JSONValue) -> OrderedDictionary<String, JSONValue>? {
    guard let values = value.array, values.count == 3 else { return nil }
    return ["dtype": values[0], "shape": values[1], "data_offsets": values[2]]
}

/// A type's name, written as a string or as `{"F32": null}`.
private func variantName(_ value: JSONValue) -> String? {
    if let members = value.object, members.count == 1, let (name, content) = members.elements.first, content.isNull {
        return name
    }
    return value.string
}

/// Whether every number in a value, members that mean nothing here too, is one that a `Double` can come near.
private func holdsDoublesOnly(_ value: JSONValue) -> Bool {
    switch value {
    case .number(let text): Double(text)?.isFinite ?? false
    case .array(let values): values.allSatisfy(holdsDoublesOnly)
    case .object(let members): members.values.allSatisfy(holdsDoublesOnly)
    case .null, .bool, .string: true
    }
}

/// Where bytes that are not UTF-8 cease to be it.
private func firstInvalidByte(_ bytes: UnsafeRawBufferPointer) -> Int {
    var parser = UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var offset = 0
    while case .valid(let scalar) = parser.parseScalar(from: &rest) { offset += scalar.count }
    return offset
}

/// The elements as numbers without sign, point or exponent; nil if one is anything else or does not fit.
private func naturalNumbers(_ values: [JSONValue]) -> [Int]? {
    var numbers: [Int] = []
    for value in values {
        guard case .number(let text) = value, !text.hasPrefix("-"), let number = Int(text) else { return nil }
        numbers.append(number)
    }
    return numbers
}
