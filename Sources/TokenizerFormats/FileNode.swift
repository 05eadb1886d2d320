import OrderedJSON

/// A value of a tokenizer.json with the place where it stands, so that what is wrong with it can be said.
struct FileNode {
    var path: String
    /// Such as `model.merges[17]`; empty for the whole file.
    var place: String
    var json: ExactJSON

    func failure(_ reason: String) -> TokenizerFormatError {
        .malformed(path: path, place: place.isEmpty ? "the file" : place, reason: reason)
    }

    func unsupported(_ what: String) -> TokenizerFormatError {
        .unsupported(path: path, place: place, what: what)
    }

    /// The member of an object; nil if it is missing or null.
    subscript(key: String) -> FileNode? {
        guard let value = json[key], !value.isNull else { return nil }
        return FileNode(path: path, place: place.isEmpty ? key : place + "." + key, json: value)
    }

    func member(_ key: String) throws(TokenizerFormatError) -> FileNode {
        guard let node = self[key] else { throw failure("lacks \"\(key)\"") }
        return node
    }

    /// The `type` of an object.
    func type(default name: String? = nil) throws(TokenizerFormatError) -> String {
        guard json.members != nil else { throw failure("is no object") }
        guard let type = self["type"] ?? name.map({ FileNode(path: path, place: place, json: .string(Array($0.utf8))) })
        else { throw failure("lacks \"type\"") }
        return try type.string()
    }

    func elements() throws(TokenizerFormatError) -> [FileNode] {
        guard let array = json.array else { throw failure("is no array") }
        return array.enumerated().map { FileNode(path: path, place: "\(place)[\($0.offset)]", json: $0.element) }
    }

    func bytes() throws(TokenizerFormatError) -> [UInt8] {
        guard let bytes = json.bytes else { throw failure("is no string") }
        return bytes
    }

    func string() throws(TokenizerFormatError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    /// A token's id: a whole number from 0 that fits 31 bits.
    func id() throws(TokenizerFormatError) -> Int32 {
        guard let value = json.int, let id = Int32(exactly: value), id >= 0 else {
            throw failure("is no id: ids are whole numbers from 0 to \(Int32.max)")
        }
        return id
    }

    /// The member's truth value, or `standard` if it is missing.
    func flag(_ key: String, default standard: Bool) throws(TokenizerFormatError) -> Bool {
        guard let node = self[key] else { return standard }
        guard let value = node.json.bool else { throw node.failure("is neither true nor false") }
        return value
    }

    /// The member's number, or `standard` if it is missing.
    func count(_ key: String, default standard: Int) throws(TokenizerFormatError) -> Int {
        guard let node = self[key] else { return standard }
        guard let value = node.json.int, value >= 0 else { throw node.failure("is no count") }
        return value
    }

    /// The literal string of a pattern; nil for a regular expression.
    func literalPattern() throws(TokenizerFormatError) -> [UInt8]? {
        let pattern = try member("pattern")
        return try pattern["String"]?.bytes()
    }
}
