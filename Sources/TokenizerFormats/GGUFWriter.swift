/// Puts a GGUF file without tensors together, version 3.
struct GGUFWriter {
    private var entries: [UInt8] = []
    private var count: UInt64 = 0

    /// Data, if there were any, would begin at a multiple of this.
    private static let alignment = 32

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { entries.append(contentsOf: $0) }
    }

    private mutating func append(_ text: some Collection<UInt8>) {
        append(UInt64(text.count))
        entries.append(contentsOf: text)
    }

    private mutating func begin(_ key: String, _ type: GGUFFile.ValueType) {
        append(key.utf8)
        append(type.rawValue)
        count += 1
    }

    private mutating func beginArray(_ key: String, _ type: GGUFFile.ValueType, count: Int) {
        begin(key, .array)
        append(type.rawValue)
        append(UInt64(count))
    }

    mutating func add(_ key: String, _ text: String) {
        begin(key, .string)
        append(text.utf8)
    }

    mutating func add(_ key: String, _ number: UInt32) {
        begin(key, .uint32)
        append(number)
    }

    mutating func add(_ key: String, _ flag: Bool) {
        begin(key, .bool)
        entries.append(flag ? 1 : 0)
    }

    mutating func add(_ key: String, _ texts: [ArraySlice<UInt8>]) {
        beginArray(key, .string, count: texts.count)
        for text in texts { append(text) }
    }

    mutating func add(_ key: String, _ floats: [Float]) {
        beginArray(key, .float32, count: floats.count)
        for float in floats { append(float.bitPattern) }
    }

    mutating func add(_ key: String, _ integers: [Int32]) {
        beginArray(key, .int32, count: integers.count)
        for integer in integers { append(integer) }
    }

    mutating func add(_ key: String, bytes: [UInt8]) {
        beginArray(key, .uint8, count: bytes.count)
        entries += bytes
    }

    /// The whole file.
    func file() -> [UInt8] {
        var head = GGUFWriter()
        head.entries = Array("GGUF".utf8)
        head.append(UInt32(3))
        head.append(UInt64(0))
        head.append(count)
        var bytes = head.entries + entries
        bytes += Array(repeating: 0, count: (Self.alignment - bytes.count % Self.alignment) % Self.alignment)
        return bytes
    }
}
