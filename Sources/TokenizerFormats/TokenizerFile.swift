import FileIO
import Foundation
import PieceModel
public import Tokenizers

/// The formats that a vocabulary is kept in.
public enum TokenizerFileFormat: String, Sendable, CaseIterable {
    case model, json, gguf, vocab
    /// A directory as transformers reads it.
    case directory

    /// By the name: its ending, and a directory for any other.
    public init(path: String) {
        let ending = (path as NSString).pathExtension.lowercased()
        self = TokenizerFileFormat(rawValue: ending) ?? .directory
    }
}

/// A vocabulary read from a file of any format, as a SentencePiece model.
public struct TokenizerFile: Sendable {
    public var path: String
    public var format: TokenizerFileFormat
    public var tokenizer: Tokenizer
    /// The tokenizer.json itself, if that is what was read.
    public var original: HuggingFaceTokenizer?
    /// What the SentencePiece model cannot say exactly of it.
    public var differences: [String] = []

    /// - Parameter path: a .model, .json or .gguf file, or a directory with tokenizer.model or tokenizer.json.
    public init(contentsOf path: String) throws {
        self.path = TokenizerFile.file(at: path)
        format = TokenizerFileFormat(path: self.path)
        switch format {
        case .json:
            let original = try HuggingFaceTokenizer(contentsOf: self.path)
            let conversion = try original.sentencePieceModel()
            tokenizer = try Tokenizer(conversion.model)
            differences = conversion.differences
            self.original = original
        case .gguf: tokenizer = try Tokenizer(GGUFVocabulary.model(contentsOf: self.path))
        case .vocab:
            throw TokenizerFormatError.unsupported(
                path: path, place: "the file", what: "a .vocab, which lacks the pieces' types")
        case .model, .directory: tokenizer = try Tokenizer(contentsOf: self.path)
        }
    }

    private static func file(at path: String) -> String {
        var isDirectory: ObjCBool = false
        let manager = FileManager.default
        guard manager.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else { return path }
        let names = ["tokenizer.model", "tokenizer.json"].map { path + "/" + $0 }
        return names.first { manager.fileExists(atPath: $0) } ?? names[0]
    }

    /// The bytes of a file of another format.
    public func contents(as format: TokenizerFileFormat, name: String) throws -> [UInt8] {
        switch format {
        case .model: try tokenizer.model.serialized()
        case .json: try TokenizerJSON(checking: tokenizer).utf8()
        case .gguf: try GGUFVocabulary.utf8(tokenizer, name: name)
        case .vocab: Array(tokenizer.model.vocabularyText().utf8)
        case .directory: preconditionFailure("a directory is no file")
        }
    }

    /// What was read against what was written, on the lines of files or on the built-in probe; nil for a format that
    /// nothing can be encoded with.
    public func comparison(
        with written: [UInt8], as format: TokenizerFileFormat, onLinesOf paths: [String]
    ) throws -> FormatComparison? {
        try written.withUnsafeBytes { bytes in
            switch format {
            case .json, .directory:
                let read = try HuggingFaceTokenizer(bytes: bytes, path: "the new tokenizer.json")
                return try FormatComparison(read, tokenizer, onLinesOf: paths)
            case .model:
                guard let original else { return nil }
                return try FormatComparison(original, tokenizer, onLinesOf: paths)
            case .gguf:
                let read = try Tokenizer(GGUFVocabulary.model(bytes: bytes, path: "the new GGUF file"))
                if let original { return try FormatComparison(original, read, onLinesOf: paths) }
                return try FormatComparison(read, tokenizer, onLinesOf: paths)
            case .vocab: return nil
            }
        }
    }
}
