import FileIO

/// The keys and values of a GGUF file, version 2 or 3, little endian; its tensors are passed over.
struct GGUFFile {
    let path: String
    private(set) var values: [String: Value] = [:]
    private(set) var tensorCount: UInt64 = 0

    enum Value: Equatable {
        case unsigned(UInt64)
        case signed(Int64)
        case float(Double)
        case bool(Bool)
        case string([UInt8])
        case strings([[UInt8]])
        case floats([Float])
        case integers([Int64])
        /// An array of something that no vocabulary holds, by its length.
        case other(count: Int)
    }

    /// Numbers that stand for the type of a value.
    enum ValueType: UInt32 {
        case uint8, int8, uint16, int16, uint32, int32, float32, bool, string, array, uint64, int64, float64

        /// Bytes of one value; a string has at least its length.
        var size: Int {
            switch self {
            case .uint8, .int8, .bool: 1
            case .uint16, .int16: 2
            case .uint32, .int32, .float32: 4
            case .uint64, .int64, .float64, .string: 8
            case .array: 12
            }
        }
    }

    /// The fewest bytes that a key and its value take: an empty key, a type and one byte.
    private static let smallestEntry = 13
    private static let longestKey = 65_535

    init(bytes: UnsafeRawBufferPointer, path: String) throws(TokenizerFormatError) {
        self.path = path
        var cursor = GGUFCursor(bytes: bytes, path: path)
        try Self.checkStart(&cursor)
        tensorCount = try cursor.integer(UInt64.self)
        let count = try cursor.count(ofAtLeast: Self.smallestEntry)
        for _ in 0..<count {
            let start = cursor.position
            let key = try cursor.string()
            guard key.count <= Self.longestKey, let name = String(validating: key, as: UTF8.self) else {
                throw cursor.failure("a key is no text of at most \(Self.longestKey) bytes", at: start)
            }
            let value = try cursor.value()
            guard values.updateValue(value, forKey: name) == nil else {
                throw cursor.failure("the key \(shown(key)) is there twice", at: start)
            }
        }
    }

    private static func checkStart(_ cursor: inout GGUFCursor) throws(TokenizerFormatError) {
        guard cursor.starts(with: Array("GGUF".utf8)) else {
            throw .notGGUF(path: cursor.path, reason: cursor.isEmpty ? "it is empty" : "it does not begin with GGUF")
        }
        _ = try cursor.integer(UInt32.self)
        let version = try cursor.integer(UInt32.self)
        if version.byteSwapped == 2 || version.byteSwapped == 3 {
            throw .unsupported(path: cursor.path, place: "the file", what: "GGUF in big-endian order")
        }
        guard version == 2 || version == 3 else {
            throw .unsupported(path: cursor.path, place: "the file", what: "GGUF of version \(version)")
        }
    }
}

/// Reads a GGUF file from its start, never past its end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    let path: String
    private(set) var position = 0

    /// Arrays in arrays, deeper than any file has them.
    private static let deepestArray = 4

    init(bytes: UnsafeRawBufferPointer, path: String) {
        self.bytes = bytes
        self.path = path
    }

    var isEmpty: Bool { bytes.isEmpty }

    func starts(with prefix: [UInt8]) -> Bool { bytes.starts(with: prefix) }

    func failure(_ reason: String, at offset: Int? = nil) -> TokenizerFormatError {
        .badGGUF(path: path, offset: offset ?? position, reason: reason)
    }

    mutating func integer<Number: FixedWidthInteger>(_: Number.Type) throws(TokenizerFormatError) -> Number {
        let size = MemoryLayout<Number>.size
        guard bytes.count - position >= size else { throw failure("it ends early") }
        defer { position += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Number.self))
    }

    /// A count of things of at least so many bytes each: no more than the rest of the file can hold.
    mutating func count(ofAtLeast size: Int) throws(TokenizerFormatError) -> Int {
        let start = position
        let count = try integer(UInt64.self)
        guard count <= UInt64((bytes.count - position) / size) else {
            throw failure("a count of \(count) passes the file's end", at: start)
        }
        return Int(count)
    }

    mutating func string() throws(TokenizerFormatError) -> [UInt8] {
        let count = try count(ofAtLeast: 1)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    private mutating func type() throws(TokenizerFormatError) -> GGUFFile.ValueType {
        let start = position
        let number = try integer(UInt32.self)
        guard let type = GGUFFile.ValueType(rawValue: number) else {
            throw failure("\(number) is no type of a value", at: start)
        }
        return type
    }

    mutating func value() throws(TokenizerFormatError) -> GGUFFile.Value {
        let type = try type()
        return type == .array ? try array(depth: 1) : try scalar(type)
    }

    private mutating func scalar(_ type: GGUFFile.ValueType) throws(TokenizerFormatError) -> GGUFFile.Value {
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

    private mutating func bool() throws(TokenizerFormatError) -> Bool {
        let start = position
        let byte = try integer(UInt8.self)
        guard byte < 2 else { throw failure("\(byte) is neither true nor false", at: start) }
        return byte == 1
    }

    private mutating func array(depth: Int) throws(TokenizerFormatError) -> GGUFFile.Value {
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

    private mutating func signedInteger(_ type: GGUFFile.ValueType) throws(TokenizerFormatError) -> Int64 {
        switch try scalar(type) {
        case .unsigned(let value): Int64(truncatingIfNeeded: value)
        case .signed(let value): value
        default: preconditionFailure("only integers of up to 64 signed bits are asked for")
        }
    }
}
