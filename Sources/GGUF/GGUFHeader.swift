/// The keys and values of a GGUF file, version 2 or 3, little endian, and where its tensors are described.
public struct GGUFHeader: Sendable {
    public let path: String
    public private(set) var values: [String: GGUFValue] = [:]
    public let tensorCount: UInt64
    /// Tensors lie at multiples of this; `general.alignment`, a power of two.
    public private(set) var alignment = GGUFHeader.standardAlignment
    /// The first byte after the keys, where the tensors' descriptions begin.
    let keysEnd: Int

    static let standardAlignment = 32
    static let alignmentKey = "general.alignment"
    /// The fewest bytes that a key and its value take: an empty key, a type and one byte.
    private static let smallestEntry = 13
    /// The arrays whose elements are wanted; of others only the length is kept.
    private static let wantedArrays: Set<String> = [
        "tokenizer.ggml.tokens", "tokenizer.ggml.scores", "tokenizer.ggml.token_type",
        "tokenizer.ggml.precompiled_charsmap",
    ]

    /// Reads the keys of a whole file; its tensors are passed over.
    ///
    /// - Throws: `GGUFError`, naming the byte that is at fault.
    public init(bytes: UnsafeRawBufferPointer, path: String) throws(GGUFError) {
        self.path = path
        var cursor = GGUFCursor(bytes: bytes, path: path)
        try Self.checkStart(&cursor)
        tensorCount = try cursor.integer(UInt64.self)
        var found: [String: GGUFValue] = [:]
        for _ in 0..<(try Self.keyCount(&cursor)) {
            let start = cursor.position
            let name = try Self.key(&cursor)
            let value = try cursor.value(keepingArray: Self.wantedArrays.contains(name))
            guard found.updateValue(value, forKey: name) == nil else {
                throw cursor.failure("the key \(shown(name)) is there twice", at: start)
            }
            if name == Self.alignmentKey { alignment = try Self.alignment(value, cursor, at: start) }
        }
        values = found
        keysEnd = cursor.position
    }

    private static func keyCount(_ cursor: inout GGUFCursor) throws(GGUFError) -> Int {
        let start = cursor.position
        let count = try cursor.count(ofAtLeast: smallestEntry)
        guard count <= GGUFLimits.keys else {
            throw cursor.failure("it has \(count) keys, more than the \(GGUFLimits.keys) that are read", at: start)
        }
        return count
    }

    private static func key(_ cursor: inout GGUFCursor) throws(GGUFError) -> String {
        let start = cursor.position
        let key = try cursor.text()
        guard key.count <= GGUFLimits.key, let name = String(validating: key, as: UTF8.self) else {
            throw cursor.failure("a key is no text of at most \(GGUFLimits.key) bytes", at: start)
        }
        // To look up a name that is not ASCII takes long: 8 MB of them a sixth of a second.
        try cursor.take(key.count, each: 8)
        return name
    }

    private static func alignment(_ value: GGUFValue, _ cursor: GGUFCursor, at start: Int) throws(GGUFError) -> Int {
        guard case .unsigned(let number) = value, number <= UInt32.max, number.nonzeroBitCount == 1 else {
            throw cursor.failure("\(alignmentKey) is no power of two below 2^32", at: start)
        }
        return Int(number)
    }

    private static func checkStart(_ cursor: inout GGUFCursor) throws(GGUFError) {
        guard cursor.starts(with: Array("GGUF".utf8)) else {
            throw .notGGUF(path: cursor.path, reason: cursor.isEmpty ? "it is empty" : "it does not begin with GGUF")
        }
        _ = try cursor.integer(UInt32.self)
        let version = try cursor.integer(UInt32.self)
        if version.byteSwapped == 2 || version.byteSwapped == 3 {
            throw .unsupported(path: cursor.path, what: "GGUF in big-endian order")
        }
        guard version == 2 || version == 3 else {
            throw .unsupported(path: cursor.path, what: "GGUF of version \(version)")
        }
    }
}
