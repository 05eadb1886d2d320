import FileIO
import OrderedCollections
import OrderedJSON

/// The tokens that the files beside a tokenizer.model give an id: added_tokens.json, the `added_tokens_decoder` of
/// tokenizer_config.json and the `added_tokens` of tokenizer.json.
package struct AddedTokenTable: Sendable {
    /// A token as one of the files has it.
    package struct Token: Sendable, Equatable {
        package let text: String
        package let path: String
    }

    /// By their ids.
    package private(set) var tokens: [Int: Token] = [:]

    /// - Parameter files: A tokenizer's files, each with the name that it has beside a checkpoint.
    /// - Throws: `FileError`, or `CheckpointError` for a file that is no JSON or a token without text and id.
    package init(_ files: [(source: String, name: String)]) throws {
        for (path, name) in files {
            switch name {
            case "added_tokens.json":
                for (text, id) in try readJSONObject(path).object ?? [:] { try add(text, id.int, from: path) }
            case "tokenizer_config.json":
                for (id, token) in try readJSONObject(path)["added_tokens_decoder"]?.object ?? [:] {
                    try add(token["content"]?.string, Int(id), from: path)
                }
            case "tokenizer.json":
                for token in try member("added_tokens", ofObjectAt: path)?.array ?? [] {
                    try add(token["content"]?.string, token["id"]?.int, from: path)
                }
            default: break
            }
        }
    }

    /// The number of rows that a model needs for all of them.
    package var rows: Int { tokens.keys.max().map { $0 + 1 } ?? 0 }

    /// Of two tokens for one id that of the file which comes first.
    private mutating func add(_ text: String?, _ id: Int?, from path: String) throws {
        // As many rows as a config may have.
        guard let text, let id, (0..<1 << 24).contains(id) else {
            throw CheckpointError.unfit(
                path: path, reason: "an added token has no text, or no id from 0 to \((1 << 24) - 1); correct it")
        }
        if tokens[id] == nil { tokens[id] = Token(text: text, path: path) }
    }
}

/// One member of the object that a file holds, or nil. No tree is made of the others: the vocabulary and the merges of a
/// tokenizer.json are large.
private func member(_ name: String, ofObjectAt path: String) throws -> JSONValue? {
    try parseJSONFile(path) { bytes throws(JSONError) in
        try readJSON(bytes) { reader throws(JSONError) in
            guard try reader.nextKind() == .object else { throw reader.failure("an object was expected") }
            var found: JSONValue?
            var keys = NameTable()
            var members = reader.beginList()
            while try reader.advance(&members) {
                let isWanted = try reader.readKey(&keys) == name
                let start = reader.position
                try reader.skipValue()
                if isWanted { found = try JSONValue(parsing: bytes[start..<reader.position]) }
            }
            return found
        }
    }
}
