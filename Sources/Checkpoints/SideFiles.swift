import FileIO
import Foundation

/// The files that make up a tokenizer in Hugging Face layout.
public let tokenizerFileNames = [
    "tokenizer.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "vocab.json", "merges.txt", "chat_template.jinja", "chat_template.json",
]

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
                    && !tokenizerFileNames.contains(name)
            }
        }
    }
}

/// The tokenizer's files in a directory, by name.
public func tokenizerFilesIn(_ directory: String) throws -> [String] {
    try regularFiles(in: directory).filter(tokenizerFileNames.contains)
}

private func regularFiles(in directory: String) throws -> [String] {
    let names: [String]
    do {
        names = try FileManager.default.contentsOfDirectory(atPath: directory)
    } catch {
        throw FileError.unreadable(path: directory, reason: error.localizedDescription)
    }
    return names.filter { name in
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: "\(directory)/\(name)", isDirectory: &isDirectory)
            && !isDirectory.boolValue
    }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
}
