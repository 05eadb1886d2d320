import Checkpoints
import FileIO
import GGUF
import OrderedJSON
import TokenizerFormats
import Tokenizers

/// How a GGUF file wants its vocabulary to be used, as far as a SentencePiece model cannot say so.
struct TokenizerSettings: Sendable {
    private let header: GGUFHeader
    private let addsBegin: Bool
    private let addsEnd: Bool
    private let chatTemplate: String?

    /// - Throws: `ConversionError` for a value of another type than its key's.
    init(_ header: GGUFHeader) throws {
        self.header = header
        func flag(_ key: String, otherwise: Bool) throws -> Bool {
            guard let value = header.values[key] else { return otherwise }
            guard case .bool(let flag) = value else {
                throw ConversionError.missingKey(path: header.path, key: key, expected: "true or false")
            }
            return flag
        }
        addsBegin = try flag("tokenizer.ggml.add_bos_token", otherwise: true)
        addsEnd = try flag("tokenizer.ggml.add_eos_token", otherwise: false)
        let template = header.values["tokenizer.chat_template"]
        chatTemplate = template?.text
        if template != nil && chatTemplate == nil {
            throw ConversionError.missingKey(
                path: header.path, key: "tokenizer.chat_template", expected: "a text of at most 1 MiB in UTF-8")
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

    /// Writes the files of the tokenizer, to be used in this way, into a directory.
    func write(_ tokenizer: Tokenizer, to directory: String) throws {
        try TokenizerDirectory(tokenizer, addsBegin: addsBegin, addsEnd: addsEnd).write(to: directory)
        guard let chatTemplate else { return }
        let path = directory + "/tokenizer_config.json"
        var json = try readJSONObject(path)
        json["chat_template"] = .string(chatTemplate)
        try writeFile(path, json.utf8(.pretty))
    }
}
