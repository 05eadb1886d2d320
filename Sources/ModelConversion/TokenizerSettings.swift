import Checkpoints
import FileIO
import GGUF
import OrderedJSON
import Tokenizers

/// How a GGUF file wants its vocabulary to be used, as far as a SentencePiece model cannot say so.
struct TokenizerSettings: Sendable {
    private let header: GGUFHeader
    /// For tokenizer_config.json.
    private var members: [(key: String, value: JSONValue)] = []

    /// - Throws: `ConversionError` for a value of another type than its key's.
    init(_ header: GGUFHeader) throws {
        self.header = header
        for name in ["add_bos_token", "add_eos_token"] {
            guard let value = header.values["tokenizer.ggml." + name] else { continue }
            guard case .bool(let flag) = value else {
                throw ConversionError.missingKey(
                    path: header.path, key: "tokenizer.ggml." + name, expected: "true or false")
            }
            members.append((name, .bool(flag)))
        }
        if let value = header.values["tokenizer.chat_template"] {
            guard let template = value.text else {
                throw ConversionError.missingKey(
                    path: header.path, key: "tokenizer.chat_template", expected: "a text of at most 1 MiB in UTF-8")
            }
            members.append(("chat_template", .string(template)))
        }
    }

    /// The ids in config.json by their keys: the file's, which need not be of control pieces, else the tokenizer's.
    func ids(_ tokenizer: Tokenizer) -> [(key: String, id: JSONValue)] {
        let roles = [
            ("bos_token_id", "bos", tokenizer.beginID), ("eos_token_id", "eos", tokenizer.endID),
            ("pad_token_id", "padding", tokenizer.padID),
        ]
        return roles.map { key, role, own in
            let id = header.values["tokenizer.ggml.\(role)_token_id"]?.int ?? own.map { Int($0.rawValue) }
            return (key, id.map { .integer($0) } ?? .null)
        }
    }

    /// Puts them into the tokenizer_config.json of a directory.
    func write(to directory: String) throws {
        let path = directory + "/tokenizer_config.json"
        var json = try readJSONObject(path)
        for (key, value) in members { json[key] = value }
        try writeFile(path, json.utf8(.pretty))
    }
}
