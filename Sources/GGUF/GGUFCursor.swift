/// Reads a GGUF file from its start, never past its end.
struct GGUFCursor {
    let bytes: UnsafeRawBufferPointer
    let path: String
    private(set) var position: Int
    /// Bytes of memory that what was kept so far takes.
    private var taken = 0

    /// What an array of bytes takes in memory beside them.
    private static let arrayHead = 48
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

    /// A text, where it lies: nothing is copied.
    mutating func text() throws(GGUFError) -> Slice<UnsafeRawBufferPointer> {
        let count = try count(ofAtLeast: 1)
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Counts memory for something that is to be kept; asked before it is taken.
    mutating func take(_ count: Int, each size: Int = 1) throws(GGUFError) {
        guard count <= (GGUFLimits.memory - taken) / size else {
            throw failure("what its keys hold takes more than the \(GGUFLimits.memory) bytes that are read")
        }
        taken += count * size
    }

    private mutating func kept(_ text: Slice<UnsafeRawBufferPointer>) throws(GGUFError) -> [UInt8] {
        try take(text.count + Self.arrayHead)
        return Array(text)
    }

    private mutating func type() throws(GGUFError) -> GGUFValueType {
        let start = position
        let number = try integer(UInt32.self)
        guard let type = GGUFValueType(rawValue: number) else {
            throw failure("\(number) is no type of a value", at: start)
        }
        return type
    }

    /// - Parameter keepingArray: Whether the elements of an array are wanted; if not, only its length is kept.
    mutating func value(keepingArray: Bool) throws(GGUFError) -> GGUFValue {
        let type = try type()
        return type == .array && keepingArray ? try array() : try scalar(type)
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
        case .string: try string()
        case .array: .other(count: try skipArray(depth: 1))
        }
    }

    private mutating func string() throws(GGUFError) -> GGUFValue {
        let text = try text()
        return text.count > GGUFLimits.text ? .other(count: text.count) : .string(try kept(text))
    }

    private mutating func bool() throws(GGUFError) -> Bool {
        let start = position
        let byte = try integer(UInt8.self)
        guard byte < 2 else { throw failure("\(byte) is neither true nor false", at: start) }
        return byte == 1
    }

    private mutating func array() throws(GGUFError) -> GGUFValue {
        let type = try type()
        let count = try count(ofAtLeast: type.size)
        switch type {
        case .string: return .strings(try strings(count))
        case .float32: return .floats(try numbers(count) { (bits: UInt32) in Float(bitPattern: bits) })
        case .uint8: return .integers(try numbers(count) { (value: UInt8) in Int64(value) })
        case .int8: return .integers(try numbers(count) { (value: Int8) in Int64(value) })
        case .uint16: return .integers(try numbers(count) { (value: UInt16) in Int64(value) })
        case .int16: return .integers(try numbers(count) { (value: Int16) in Int64(value) })
        case .uint32: return .integers(try numbers(count) { (value: UInt32) in Int64(value) })
        case .int32: return .integers(try numbers(count) { (value: Int32) in Int64(value) })
        case .int64: return .integers(try numbers(count) { (value: Int64) in value })
        case .array, .uint64, .float64, .bool:
            try skip(count, of: type, depth: 1)
            return .other(count: count)
        }
    }

    private mutating func strings(_ count: Int) throws(GGUFError) -> [[UInt8]] {
        var strings: [[UInt8]] = []
        for _ in 0..<count {
            let text = try text()
            strings.append(try kept(text))
        }
        return strings
    }

    /// Numbers one behind another, of which so many are known to be there.
    private mutating func numbers<Stored: FixedWidthInteger, Number>(
        _ count: Int, _ number: (Stored) -> Number
    ) throws(GGUFError) -> [Number] {
        try take(count, each: MemoryLayout<Number>.size)
        let (start, size) = (position, MemoryLayout<Stored>.size)
        position += count * size
        return (0..<count).map {
            number(Stored(littleEndian: bytes.loadUnaligned(fromByteOffset: start + $0 * size, as: Stored.self)))
        }
    }

    /// Passes over an array and gives the number of its elements.
    private mutating func skipArray(depth: Int) throws(GGUFError) -> Int {
        let type = try type()
        let count = try count(ofAtLeast: type.size)
        try skip(count, of: type, depth: depth)
        return count
    }

    /// Passes over elements, of which so many are known to be there, but for the rest of texts and arrays.
    private mutating func skip(_ count: Int, of type: GGUFValueType, depth: Int) throws(GGUFError) {
        switch type {
        case .string: for _ in 0..<count { _ = try text() }
        case .array:
            guard depth < Self.deepestArray else { throw failure("arrays stand too deep in arrays") }
            for _ in 0..<count { _ = try skipArray(depth: depth + 1) }
        default: position += count * type.size
        }
    }
}
