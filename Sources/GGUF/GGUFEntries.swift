/// The keys and values of a file that is about to be written, in their order.
public struct GGUFEntries: Sendable {
    private var entries: [UInt8] = []
    private var count: UInt64 = 0

    public init() {}

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { entries.append(contentsOf: $0) }
    }

    private mutating func append(_ text: some Collection<UInt8>) {
        append(UInt64(text.count))
        entries.append(contentsOf: text)
    }

    private mutating func begin(_ key: String, _ type: GGUFValueType) {
        append(key.utf8)
        append(type.rawValue)
        count += 1
    }

    private mutating func beginArray(_ key: String, _ type: GGUFValueType, count: Int) {
        begin(key, .array)
        append(type.rawValue)
        append(UInt64(count))
    }

    public mutating func add(_ key: String, _ text: String) {
        begin(key, .string)
        append(text.utf8)
    }

    public mutating func add(_ key: String, _ number: UInt32) {
        begin(key, .uint32)
        append(number)
    }

    public mutating func add(_ key: String, _ number: Float) {
        begin(key, .float32)
        append(number.bitPattern)
    }

    public mutating func add(_ key: String, _ flag: Bool) {
        begin(key, .bool)
        entries.append(flag ? 1 : 0)
    }

    public mutating func add(_ key: String, _ texts: [ArraySlice<UInt8>]) {
        beginArray(key, .string, count: texts.count)
        for text in texts { append(text) }
    }

    public mutating func add(_ key: String, _ floats: [Float]) {
        beginArray(key, .float32, count: floats.count)
        for float in floats { append(float.bitPattern) }
    }

    public mutating func add(_ key: String, _ integers: [Int32]) {
        beginArray(key, .int32, count: integers.count)
        for integer in integers { append(integer) }
    }

    public mutating func add(_ key: String, bytes: [UInt8]) {
        beginArray(key, .uint8, count: bytes.count)
        entries += bytes
    }

    /// A file of version 3 up to where its tensors begin, padding included.
    func head(describing tensors: [GGUFTensorPlan], at positions: [Int]) -> [UInt8] {
        var head = GGUFEntries()
        head.entries = Array("GGUF".utf8)
        head.append(UInt32(3))
        head.append(UInt64(tensors.count))
        head.append(count)
        head.entries += entries
        for (tensor, position) in zip(tensors, positions) {
            head.append(tensor.name.utf8)
            head.append(UInt32(tensor.shape.count))
            for dimension in tensor.shape.reversed() { head.append(UInt64(dimension)) }
            head.append(tensor.type.rawValue)
            head.append(UInt64(position))
        }
        let over = head.entries.count % GGUFHeader.standardAlignment
        return head.entries + Array(repeating: 0, count: over == 0 ? 0 : GGUFHeader.standardAlignment - over)
    }

    /// A whole file without tensors.
    public func file() -> [UInt8] {
        head(describing: [], at: [])
    }
}
