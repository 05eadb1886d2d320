/// Reads a JSON text (RFC 8259, strictly) value by value, front to back.
///
/// The one grammar behind `JSONValue` and `ExactJSON`, and for files of which a tree would be too large:
///
///     var members = reader.beginList()
///     while try reader.advance(&members) {
///         if try reader.readKey(&keys) == "size" { size = try reader.readNatural() } else { try reader.skipValue() }
///     }
package struct JSONReader {
    let bytes: UnsafeBufferPointer<UInt8>
    /// The byte that is read next.
    package internal(set) var position = 0
    /// Arrays and objects that are open.
    private var depth = 0
    /// Tables that objects which nobody looks at have had for their keys.
    var spareTables: [NameTable] = []
    private let release: ((Range<Int>) -> Void)?
    private var released = 0

    /// Arrays and objects in one another: as many as serde_json takes, which safetensors and tokenizers read with.
    static let deepest = 127

    /// What kind of value begins somewhere.
    package enum Kind {
        case null, bool, number, string, array, object
    }

    /// An array or object whose elements or members are being read.
    package struct List {
        fileprivate let isObject: Bool
        fileprivate var isBegun = false

        fileprivate var close: UInt8 { UInt8(ascii: isObject ? "}" : "]") }
    }

    fileprivate init(
        _ bytes: UnsafeBufferPointer<UInt8>, release: ((Range<Int>) -> Void)?
    ) throws(JSONError) {
        // Tables of names count their bytes in 32 bits.
        guard bytes.count < UInt32.max else { throw JSONError(offset: 0, reason: "longer than 4 GB") }
        self.bytes = bytes
        self.release = release
    }

    package func failure(_ reason: String) -> JSONError {
        JSONError(offset: position, reason: reason)
    }

    var current: UInt8? {
        position < bytes.count ? bytes[position] : nil
    }

    mutating func skipWhitespace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    /// Goes to the next value and says by its first byte what it is.
    package mutating func nextKind() throws(JSONError) -> Kind {
        skipWhitespace()
        switch current {
        case UInt8(ascii: "{"):
            try checkDepth()
            return .object
        case UInt8(ascii: "["):
            try checkDepth()
            return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .bool
        case UInt8(ascii: "n"): return .null
        case .some(UInt8(ascii: "-")), .some(UInt8(ascii: "0")...UInt8(ascii: "9")): return .number
        case nil: throw failure("it ends early")
        default: throw failure("a value was expected")
        }
    }

    private func checkDepth() throws(JSONError) {
        if depth >= Self.deepest { throw failure("nested too deeply") }
    }

    /// Enters the array or object that begins here, as `nextKind` has said.
    package mutating func beginList() -> List {
        let isObject = current == UInt8(ascii: "{")
        precondition(isObject || current == UInt8(ascii: "["), "no array or object begins here")
        position += 1
        depth += 1
        return List(isObject: isObject)
    }

    /// Goes to the list's next element, or its next member's key; past the list and false if there is none.
    package mutating func advance(_ list: inout List) throws(JSONError) -> Bool {
        releaseWhatIsRead()
        skipWhitespace()
        let isEnd = current == list.close
        if list.isBegun || isEnd {
            guard isEnd || current == UInt8(ascii: ",") else {
                throw failure("a comma or a closing \(list.isObject ? "brace" : "bracket") was expected")
            }
            position += 1
        }
        if isEnd {
            depth -= 1
            return false
        }
        list.isBegun = true
        if list.isObject {
            skipWhitespace()
            guard current == UInt8(ascii: "\"") else { throw failure("a key was expected") }
        }
        return true
    }

    /// Says every 8 MB what was read.
    mutating func releaseWhatIsRead() {
        if position - released < 1 << 23 { return }
        release?(released..<position)
        released = position
    }

    /// Reads a member's key and the colon behind it.
    ///
    /// - Parameter keys: Those of the same object so far.
    package mutating func readKey(_ keys: inout NameTable) throws(JSONError) -> String {
        let key = try readString()
        guard keys.append(key) else { throw repeated(key) }
        try readColon()
        return key
    }

    /// Reads what stands behind a key that `readString` has read.
    package mutating func readColon() throws(JSONError) {
        skipWhitespace()
        guard current == UInt8(ascii: ":") else { throw failure("a colon was expected") }
        position += 1
    }

    /// What to throw at once after a key that the object had before.
    package func repeated(_ key: String) -> JSONError {
        failure("the key \(shown(key)) is repeated")
    }

    package mutating func readNull() throws(JSONError) {
        try readWord("null")
    }

    mutating func readBool() throws(JSONError) -> Bool {
        let isTrue = current == UInt8(ascii: "t")
        try readWord(isTrue ? "true" : "false")
        return isTrue
    }

    private mutating func readWord(_ word: StaticString) throws(JSONError) {
        let isThere = word.withUTF8Buffer { word in
            bytes.count - position >= word.count && word.indices.allSatisfy { bytes[position + $0] == word[$0] }
        }
        guard isThere else { throw failure("a value was expected") }
        position += word.utf8CodeUnitCount
    }
}

/// Calls `body` with a reader of a whole UTF-8 text, in which it must read one value; nothing may stand behind that.
///
/// - Parameter release: Called now and then with bytes that were read and are rarely wanted again.
package func readJSON<Value>(
    _ bytes: some Collection<UInt8>, release: ((Range<Int>) -> Void)? = nil,
    _ body: (inout JSONReader) throws(JSONError) -> Value
) throws(JSONError) -> Value {
    func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Result<Value, JSONError> {
        Result { () throws(JSONError) in
            var reader = try JSONReader(bytes, release: release)
            let value = try body(&reader)
            reader.skipWhitespace()
            if reader.position < bytes.count { throw reader.failure("text after the value") }
            return value
        }
    }
    let result = bytes.withContiguousStorageIfAvailable(read) ?? ContiguousArray(bytes).withUnsafeBufferPointer(read)
    return try result.get()
}
