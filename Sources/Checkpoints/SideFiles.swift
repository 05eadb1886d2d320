import FileIO
import Foundation
import Glibc
import OrderedJSON

/// The files that make up a tokenizer in Hugging Face layout.
public let tokenizerFileNames = [
    "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
]

private let chatTemplateNames: Set = ["chat_template.jinja", "chat_template.json"]

/// Mistral keeps further versions of its vocabulary beside the first, such as tokenizer.model.v3.
private func isTokenizerFile(_ name: String) -> Bool {
    tokenizerFileNames.contains(name) || name.hasPrefix("tokenizer.model.v")
}

/// Weights in any format, and what training leaves beside them.
private let weightExtensions: Set = ["safetensors", "bin", "pth", "pt", "gguf", "h5", "msgpack", "onnx", "ckpt"]

extension Checkpoint {
    /// The tokenizer's files in the directory, by name.
    public var tokenizerFiles: [String] {
        get throws { try tokenizerFilesIn(directory) }
    }

    /// The files that go along with the weights and are not made anew for a changed checkpoint, tokenizer files aside:
    /// generation_config.json, licences, notes. By name.
    public var sideFiles: [String] {
        get throws {
            try regularFiles(in: directory).filter { name in
                !weightExtensions.contains((name as NSString).pathExtension) && !name.hasPrefix(".")
                    && !name.hasSuffix(".index.json") && name != "config.json" && name != "kuoci.json"
                    && !isTokenizerFile(name)
            }
        }
    }

    /// The chat template's files, by name, if they may go along with another tokenizer: a template knows texts and no
    /// ids, but must not come before one that this tokenizer brings.
    ///
    /// - Parameter directory: Where the other tokenizer's files are.
    func chatTemplateFiles(besideTokenizerIn directory: String) throws -> [String] {
        let own = try tokenizerFiles.filter(chatTemplateNames.contains)
        let others = try tokenizerFilesIn(directory)
        guard !own.isEmpty, chatTemplateNames.isDisjoint(with: others) else { return [] }
        guard others.contains("tokenizer_config.json") else { return own }
        let settings = try readJSONObject("\(directory)/tokenizer_config.json")
        return settings["chat_template"]?.isNull ?? true ? own : []
    }
}

/// The tokenizer's files in a directory, by name.
public func tokenizerFilesIn(_ directory: String) throws -> [String] {
    try regularFiles(in: directory).filter(isTokenizerFile)
}

private func regularFiles(in directory: String) throws -> [String] {
    let names: [String]
    do {
        names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
        throw FileError.unreadable(path: directory, reason: error.localizedDescription)
    }
    return names.filter { name in
        // Of a link, what it leads to; no directory, and no FIFO or socket, which cannot be copied.
        var information = stat()
        return stat("\(directory)/\(name)", &information) == 0 && information.st_mode & S_IFMT == S_IFREG
    }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
