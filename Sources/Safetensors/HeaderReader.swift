import OrderedCollections
import OrderedJSON

// The reference reader is derived from its types by serde, which takes more than the format's text says. Taken here too,
// so that whether a file is sound does not depend on who reads it: entries written as arrays, types as {"F32": null},
// metadata of null.

/// Reads a header's JSON in one go, without making a tree of it.
struct HeaderReader {
    var table = TensorTable()
    /// The JSON of the metadata.
    private(set) var metadata: Range<Int>?
    /// What is wrong first, if the JSON is sound.
    private(set) var problem: SafetensorsError?
    private let path: String
    /// Of the entry that is being read; here so that entries share its memory.
    var memberKeys = NameTable()

    init(path: String) {
        self.path = path
    }

    /// Reads the header's one value.
    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.nextKind() == .object else {
            problem = .invalidHeaderJSON(path: path, reason: "not a JSON object")
            try reader.skipValue()
            return
        }
        var members = reader.beginList()
        while try reader.advance(&members) { try readMember(&reader) }
    }

    private mutating func readMember(_ reader: inout JSONReader) throws(JSONError) {
        let name = try reader.readString()
        if name == "__metadata__" {
            if metadata != nil { throw reader.repeated(name) }
            try reader.readColon()
            try readMetadata(&reader)
        } else {
            guard table.append(name: name) else { throw reader.repeated(name) }
            try reader.readColon()
            let entry = try readEntry(&reader)
            if problem == nil { append(entry, name) }
        }
    }

    private mutating func readMetadata(_ reader: inout JSONReader) throws(JSONError) {
        let kind = try reader.nextKind()
        let start = reader.position
        defer { metadata = start..<reader.position }
        if kind == .null { return try reader.readNull() }
        guard kind == .object else {
            try reader.skipValue()
            return note("__metadata__", "not an object")
        }
        var keys = NameTable()
        var members = reader.beginList()
        while try reader.advance(&members) {
            let key = try reader.readKey(&keys)
            if try reader.nextKind() != .string { note("__metadata__", "\(quoted(key)) is not a string") }
            try reader.skipValue()
        }
    }

    private mutating func note(_ name: String, _ reason: String) {
        if problem == nil { problem = .invalidEntry(path: path, tensor: name, reason: reason) }
    }

    private mutating func append(_ entry: HeaderEntry, _ name: String) {
        guard entry.isObject else { return note(name, "not an object") }
        guard let typeName = entry.typeName else { return note(name, "dtype is missing") }
        guard let type = TensorType(rawValue: typeName) else {
            return note(name, "dtype \(quoted(typeName)) is unknown")
        }
        guard entry.hasShape else { return note(name, "shape is not a list of whole numbers") }
        guard let offsets = entry.offsets else { return note(name, "data_offsets is not a pair of whole numbers") }
        guard entry.areDoubles else { return note(name, "a number in it is out of range") }
        table.append(type, begin: offsets.begin, end: offsets.end)
    }
}

/// The metadata of a header that was found sound, from its JSON.
func parsedMetadata(_ json: [UInt8]) -> [String: String] {
    let members = (try? JSONValue(parsing: json))?.object ?? [:]
    return members.reduce(into: [:]) { $0[$1.key] = $1.value.string }
}
