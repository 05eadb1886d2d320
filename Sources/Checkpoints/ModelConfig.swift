import FileIO
public import OrderedJSON

/// A model's config.json, every key kept in its place.
public struct ModelConfig: Sendable, Equatable {
    /// Where it was read, for messages.
    public var path: String
    public var json: JSONValue

    public init(path: String, json: JSONValue) {
        self.path = path
        self.json = json
    }

    /// Reads the file.
    public init(contentsOf path: String) throws {
        json = try readJSONObject(path)
        self.path = path
    }

    public subscript(key: String) -> JSONValue? {
        get { json[key] }
        set { json[key] = newValue }
    }

    /// A positive whole number that must be there.
    public func positiveInt(_ key: String) throws -> Int {
        guard let value = json[key]?.int, value > 0 else {
            throw CheckpointError.missingKey(path: path, key: key, expected: "a positive whole number")
        }
        return value
    }

    /// A number that has a default when absent or null.
    public func double(_ key: String, default fallback: Double) throws -> Double {
        guard let value = json[key], !value.isNull else { return fallback }
        guard let number = value.double else {
            throw CheckpointError.missingKey(path: path, key: key, expected: "a number")
        }
        return number
    }

    public func bool(_ key: String, default fallback: Bool) throws -> Bool {
        guard let value = json[key], !value.isNull else { return fallback }
        guard let flag = value.bool else {
            throw CheckpointError.missingKey(path: path, key: key, expected: "true or false")
        }
        return flag
    }

    /// Entries in the vocabulary.
    public var vocabularySize: Int {
        get throws { try positiveInt("vocab_size") }
    }

    /// Only of these families it is known which tensors have a row for each entry; a config that names none is LLaMA's.
    ///
    /// - Throws: `CheckpointError.foreignFamily`.
    public func requireLlamaFamily() throws {
        guard let value = json["model_type"], !value.isNull else { return }
        guard let family = value.string, ["llama", "mistral"].contains(family) else {
            throw CheckpointError.foreignFamily(path: path, family: value.string ?? value.text(.line))
        }
    }

    /// Whether the LM head is the input embedding; a LLaMA config that does not say so means no.
    public var tiesWordEmbeddings: Bool {
        get throws { try bool("tie_word_embeddings", default: false) }
    }
}

/// Bytes of the largest file of which a tree is made, which takes up to 24 times as much memory: ten thousand times a
/// config.json, and the tokenizer_config.json of fifty thousand added tokens.
let largestJSONObject = 10_000_000

/// Parses a file that must hold a JSON object.
///
/// - Throws: `FileError`, or `CheckpointError.badJSON` if it holds anything else or has too many bytes.
package func readJSONObject(_ path: String) throws -> JSONValue {
    let value = try parseJSONFile(path, largest: largestJSONObject) { bytes throws(JSONError) in
        try JSONValue(parsing: bytes)
    }
    if value.object == nil { throw CheckpointError.badJSON(path: path, reason: "holds no JSON object") }
    return value
}

/// Calls `parse` with the bytes of a file that should be JSON.
///
/// - Throws: `FileError`, or `CheckpointError.badJSON` if it is no JSON or has more than `largest` bytes.
func parseJSONFile<Value>(
    _ path: String, largest: Int = .max, _ parse: (UnsafeRawBufferPointer) throws(JSONError) -> Value
) throws -> Value {
    try MappedFile(path).withUnsafeBytes { bytes in
        if bytes.isEmpty { throw CheckpointError.badJSON(path: path, reason: "is empty") }
        if bytes.count > largest {
            throw CheckpointError.badJSON(
                path: path, reason: "has \(bytes.count) bytes, where at most \(largest) are read")
        }
        if bytes.starts(with: "version https://git-lfs".utf8) {
            throw CheckpointError.badJSON(path: path, reason: "is a Git LFS pointer, not the file itself")
        }
        do throws(JSONError) {
            return try parse(bytes)
        } catch {
            throw CheckpointError.badJSON(path: path, reason: "is \(error)")
        }
    }
}
