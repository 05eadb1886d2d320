/// Reads a GGUF file from its start, never past its end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    let path: String
    private(set) var position: Int

    /// Arrays in arrays, deeper than any file has them.
    private static let deepestArray = 4

    /// - Parameter position: Where to begin, no later than the end.
    init(bytes: UnsafeRawBufferPointer, path: String, position: Int = 0) {
        self.bytes = bytes
        self.path = path
        self.position = position
    }

    var isEmpty: Bool { bytes.isEmpty }

    func starts(with prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }

    func failure(_ reason: String, at offset: Int? = nil) -> GGUFError {
        .broken(path: path, offset: offset ?? position, reason: reason)
    }

    mutating func integer<Number: FixedWidthInteger>(_: Number.Type) throws(GGUFError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw failure("it ends early") }
        defer { position += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    /// A count of things of at least so many bytes each: no more than the rest of the file can hold.
    mutating func count(ofAtLeast size: Int) throws(GGUFError) -> Int {
        let start = position
        let count = try integer(UInt64.self)
        guard count <= UInt64((bytes.count - position) / size) else {
            throw failure("a count of \(count) passes the file's end", at: start)
        }
        return Int(count)
    }

    mutating func string() throws(GGUFError) -> [UInt8] {
        let count = try count(ofAtLeast: 1)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    private mutating func type() throws(GGUFError) -> GGUFValueType {
        let start = position
        let number = try integer(UInt32.self)
        guard let type = GGUFValueType(rawValue: number) else {
            throw failure("\(number) is no type of a value", at: start)
        }
        return type
    }

    mutating func value() throws(GGUFError) -> GGUFValue {
        let type = try type()
        return type == .array ? try array(depth: 1) : try scalar(type)
    }

    private mutating func scalar(_ type: GGUFValueType) throws(GGUFError) -> GGUFValue {
        switch type {
        case .uint8: .unsigned(UInt64(try integer(UInt8.self)))
        case .uint16: .unsigned(UInt64(try integer(UInt16.self)))
        case .uint32: .unsigned(UInt64(try integer(UInt32.self)))
        case .uint64: .unsigned(try integer(UInt64.self))
        case .int8: .signed(Int64(try integer(Int8.self)))
        case .int16: .signed(Int64(try integer(Int16.self)))
        case .int32: .signed(Int64(try integer(Int32.self)))
        case .int64: .signed(try integer(Int64.self))
        case .float32: .float(Double(Float(bitPattern: try integer(UInt32.self))))
        case .float64: .float(Double(bitPattern: try integer(UInt64.self)))
        case .bool: .bool(try bool())
        case .string: .string(try string())
        case .array: try array(depth: 1)
        }
    }

    private mutating func bool() throws(GGUFError) -> Bool {
        let start = position
        let byte = try integer(UInt8.self)
        guard byte < 2 else { throw failure("\(byte) is neither true nor false", at: start) }
        return byte == 1
    }

    private mutating func array(depth: Int) throws(GGUFError) -> GGUFValue {
        let type = try type()
        let count = try count(ofAtLeast: type.size)
        switch type {
        case .string:
            var strings: [[UInt8]] = []
            for _ in 0..<count { strings.append(try string()) }
            return .strings(strings)
        case .float32:
            var floats: [Float] = []
            for _ in 0..<count { floats.append(Float(bitPattern: try integer(UInt32.self))) }
            return .floats(floats)
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .int64:
            var integers: [Int64] = []
            for _ in 0..<count { integers.append(try signedInteger(type)) }
            return .integers(integers)
        case .array:
            guard depth < Self.deepestArray else { throw failure("arrays stand too deep in arrays") }
            for _ in 0..<count { _ = try array(depth: depth + 1) }
            return .other(count: count)
        case .uint64, .float64, .bool:
            position += count * type.size
            return .other(count: count)
        }
    }

    private mutating func signedInteger(_ type: GGUFValueType) throws(GGUFError) -> Int64 {
        switch try scalar(type) {
        case .unsigned(let value): Int64(truncatingIfNeeded: value)
        case .signed(let value): value
        default: preconditionFailure("only integers of up to 64 signed bits are asked for")
        }
    }
}
