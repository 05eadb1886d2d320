import Checkpoints
import Foundation
import GGUF
import OrderedCollections
import OrderedJSON
import TokenizerFormats
import Tokenizers

/// The vocabulary of a model's directory with one entry for each of its rows: the tokenizer's, the tokens added beside it,
/// and unused ones for the rest.
struct ModelTokens {
    private(set) var table: GGUFTokenTable
    let chatTemplate: String?
    /// What the vocabulary cannot say exactly.
    private(set) var differences: [String]

    init(_ checkpoint: Checkpoint, rows: Int) throws {
        let directory = checkpoint.directory
        guard try checkpoint.tokenizerFiles.contains(where: { ["tokenizer.model", "tokenizer.json"].contains($0) })
        else { throw ConversionError.noVocabulary(path: directory) }
        let file = try TokenizerFile(contentsOf: directory)
        guard file.tokenizer.count <= rows else {
            throw ConversionError.noRow(path: file.path, id: file.tokenizer.count - 1, rows: rows)
        }
        let settings = try optionalJSON(directory + "/tokenizer_config.json")
        differences = file.differences
        chatTemplate = try template(directory, settings)
        table = try GGUFTokenTable(file.tokenizer)
        table.pad(to: rows)
        try addTokens(of: directory, settings, rows: rows)
        setRoles(settings, checkpoint.config)
    }

    /// Those of tokenizer_config.json go before those of the older added_tokens.json.
    private mutating func addTokens(of directory: String, _ settings: JSONValue, rows: Int) throws {
        for (text, value) in try optionalJSON(directory + "/added_tokens.json").object ?? [:] {
            try add(text, value.int, isSpecial: false, rows: rows, from: directory + "/added_tokens.json")
        }
        for (id, token) in settings["added_tokens_decoder"]?.object ?? [:] {
            try add(
                token["content"]?.string, Int(id), isSpecial: token["special"]?.bool ?? false, rows: rows,
                from: directory + "/tokenizer_config.json")
        }
    }

    /// An entry that has this text already keeps its score and type.
    private mutating func add(_ text: String?, _ id: Int?, isSpecial: Bool, rows: Int, from path: String) throws {
        guard let text, let id, id >= 0 else {
            throw ConversionError.missingKey(path: path, key: "of each added token", expected: "a text and an id")
        }
        guard id < rows else { throw ConversionError.noRow(path: path, id: id, rows: rows) }
        let known = String(decoding: table.tokens[id], as: UTF8.self)
        let plain = isSpecial ? text : text.replacingOccurrences(of: "\u{2581}", with: " ")
        if known != text, known != plain { table.setAdded(plain, at: id, isSpecial: isSpecial) }
    }

    /// By tokenizer_config.json's names, else by the tokenizer, else by config.json.
    private mutating func setRoles(_ settings: JSONValue, _ config: ModelConfig) {
        func id(_ role: String, _ own: Int?) -> Int? {
            let token = settings[role + "_token"]
            let name = token?.string ?? token?["content"]?.string
            return name.flatMap { table.id(of: $0) } ?? own
                ?? statedIDs(role, config).lazy.compactMap(\.self).first(where: table.tokens.indices.contains)
        }
        table.beginID = id("bos", table.beginID)
        table.endID = id("eos", table.endID)
        table.padID = id("pad", table.padID)
        for (role, id) in [("bos", table.beginID), ("eos", table.endID), ("pad", table.padID)] {
            differences += difference(role, id, config)
        }
        table.addsBegin = settings["add_bos_token"]?.bool ?? table.addsBegin
        table.addsEnd = settings["add_eos_token"]?.bool ?? table.addsEnd
        table.addsSpacePrefix = settings["add_prefix_space"]?.bool ?? table.addsSpacePrefix
    }

    /// The id or ids of a role in config.json; nil for what is none.
    private func statedIDs(_ role: String, _ config: ModelConfig) -> [Int?] {
        guard let stated = config[role + "_token_id"], !stated.isNull else { return [] }
        return (stated.array ?? [stated]).map(\.int)
    }

    /// Says what becomes of a role's ids in config.json, where the file's one id is not all of them.
    private func difference(_ role: String, _ id: Int?, _ config: ModelConfig) -> [String] {
        guard let stated = config[role + "_token_id"], statedIDs(role, config).contains(where: { $0 != id }) else {
            return []
        }
        let fate = id.map { "becomes \($0), the one id that the file holds" } ?? "is left out: no row has it"
        return ["config.json's \(role)_token_id \(stated.text(.line)) \(fate)"]
    }

    func add(to entries: inout GGUFEntries) {
        table.add(to: &entries)
        if let chatTemplate { entries.add("tokenizer.chat_template", chatTemplate) }
    }
}

/// The object in a file, or an empty one where there is no file.
private func optionalJSON(_ path: String) throws -> JSONValue {
    FileManager.default.fileExists(atPath: path) ? try readJSONObject(path) : [:]
}

private func template(_ directory: String, _ settings: JSONValue) throws -> String? {
    let path = directory + "/chat_template.jinja"
    guard FileManager.default.fileExists(atPath: path) else { return settings["chat_template"]?.string }
    return try String(contentsOfFile: path, encoding: .utf8)
}
