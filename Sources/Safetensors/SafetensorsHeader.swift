import OrderedJSON

/// The validated header of a safetensors file: every offset in it lies inside the file.
struct SafetensorsHeader {
    /// By offset.
    let tensors: TensorList
    /// JSON of an object of strings, or of null; empty if there is none.
    let metadata: [UInt8]

    /// The longest header that the reference reader takes.
    static let longest: UInt64 = 100_000_000

    /// Parses the header of a whole file in the reference reader's order of checks.
    ///
    /// - Parameter release: Called with bytes of the file whose memory may go; they are read again if need be.
    init(
        validating file: UnsafeRawBufferPointer, path: String, release: ((Range<Int>) -> Void)? = nil
    ) throws(SafetensorsError) {
        do throws(SafetensorsError) {
            let json = try Self.json(of: file, path: path)
            let header = try Self.read(json, path: path) { release?(8 + $0.lowerBound..<8 + $0.upperBound) }
            metadata = header.metadata.map { Array(json[$0]) } ?? []
            let layout = HeaderLayout(dataStart: 8 + json.count, fileBytes: file.count, path: path)
            tensors = try layout.validated(header.table)
        } catch {
            // A file of another kind fails somewhere above; its kind says more than where.
            if let kind = SafetensorsError.ForeignKind(file) { throw .foreign(path: path, kind: kind) }
            throw error
        }
    }

    /// The bytes of the JSON, which are UTF-8.
    private static func json(
        of file: UnsafeRawBufferPointer, path: String
    ) throws(SafetensorsError) -> UnsafeBufferPointer<UInt8> {
        guard file.count >= 8 else { throw .headerTooSmall(path: path, bytes: file.count) }
        let announced = UInt64(littleEndian: file.loadUnaligned(as: UInt64.self))
        guard announced <= longest else { throw .headerTooLarge(path: path, length: announced) }
        let length = Int(announced)
        guard length <= file.count - 8 else {
            throw .invalidHeaderLength(path: path, length: length, fileBytes: file.count)
        }
        let header = UnsafeRawBufferPointer(rebasing: file[8..<8 + length]).bindMemory(to: UInt8.self)
        guard String(validating: header, as: UTF8.self) != nil else {
            throw .invalidHeader(path: path, offset: 8 + firstInvalidByte(header))
        }
        return header
    }

    private static func read(
        _ json: UnsafeBufferPointer<UInt8>, path: String, release: @escaping (Range<Int>) -> Void
    ) throws(SafetensorsError) -> HeaderReader {
        var header = HeaderReader(path: path)
        do throws(JSONError) {
            // That the bytes are UTF-8 was found by reading them all.
            release(json.indices)
            try readJSON(json, release: release) { reader throws(JSONError) in try header.read(&reader) }
        } catch {
            var place = error
            place.offset += 8
            throw .invalidHeaderJSON(path: path, reason: "\(place)")
        }
        if let problem = header.problem { throw problem }
        return header
    }
}

/// Where a file's header ends, and the file.
private struct HeaderLayout {
    let dataStart: Int
    let fileBytes: Int
    let path: String

    /// The tensors by offset: they fill the file from the header's end without holes.
    func validated(_ table: TensorTable) throws(SafetensorsError) -> TensorList {
        let order = numbersByOffset(table)
        var position = 0
        for index in 0..<table.count {
            let number = order.map { Int($0[index]) } ?? index
            position = try end(of: table[number], number, in: table, after: position)
        }
        guard dataStart + position == fileBytes else {
            throw .metadataIncompleteBuffer(path: path, expected: dataStart + position, found: fileBytes)
        }
        return TensorList(table, order: order, dataStart: dataStart)
    }

    private func end(
        of record: TensorTable.Record, _ number: Int, in table: TensorTable, after position: Int
    ) throws(SafetensorsError) -> Int {
        guard record.begin == position, record.end >= record.begin else {
            let found = record.begin == position ? record.end : record.begin
            throw .invalidOffset(path: path, tensor: table.names[number], expected: position, found: found)
        }
        let size = try size(of: record, number, in: table)
        guard record.end - record.begin == size else {
            throw .tensorInvalidInfo(
                path: path, tensor: table.names[number], expected: size, found: record.end - record.begin)
        }
        // Checked against the file at once, so that sums of it cannot overflow.
        guard record.end <= fileBytes - dataStart else {
            let (expected, _) = record.end.addingReportingOverflow(dataStart)
            throw .metadataIncompleteBuffer(path: path, expected: max(expected, record.end), found: fileBytes)
        }
        return record.end
    }

    private func size(
        of record: TensorTable.Record, _ number: Int, in table: TensorTable
    ) throws(SafetensorsError) -> Int {
        do throws(TensorSizeError) {
            return try record.type.byteCount(dimensions: table.dimensions(of: record))
        } catch {
            switch error {
            case .overflow: throw .validationOverflow(path: path, tensor: table.names[number])
            case .partialByte: throw .misalignedSlice(path: path, tensor: table.names[number])
            }
        }
    }
}

/// The tensors' numbers by begin, then end, then place in the header; nil if they have that order.
private func numbersByOffset(_ table: TensorTable) -> [UInt32]? {
    var last = (begin: 0, end: 0)
    let isSorted = (0..<table.count).allSatisfy { number in
        let record = table[number]
        defer { last = (record.begin, record.end) }
        return last <= (record.begin, record.end)
    }
    if isSorted { return nil }
    var keys = (0..<table.count).map { number in
        (begin: table[number].begin, end: table[number].end, number: UInt32(number))
    }
    keys.sort { $0 < $1 }
    return keys.map(\.number)
}

/// Where bytes that are not UTF-8 cease to be it.
private func firstInvalidByte(_ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    var parser = UTF8.ForwardParser()
    var rest = bytes.makeIterator()
    var offset = 0
    while case .valid(let scalar) = parser.parseScalar(from: &rest) { offset += scalar.count }
    return offset
}
