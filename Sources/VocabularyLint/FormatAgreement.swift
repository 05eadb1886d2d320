import Foundation
import PieceModel
import TokenizerFormats
import Tokenizers

/// Whether another file of a tokenizer's directory gives the same ids.
public struct FormatAgreement: Sendable, Equatable {
    public var path: String
    public var lines: Int
    public var differing: Int

    /// Compares a tokenizer with the tokenizer.json and the GGUF files beside it in `directory`.
    ///
    /// - Parameter corpus: texts to compare on, one a line; a built-in probe made of the tokenizer's pieces if empty.
    static func of(_ tokenizer: Tokenizer, in directory: String, on corpus: [String]) throws -> [FormatAgreement] {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        return try names.filter { $0 == "tokenizer.json" || $0.hasSuffix(".gguf") }.compactMap { name in
            let path = directory + "/" + name
            if path == tokenizer.model.path { return nil }
            let comparison =
                name == "tokenizer.json"
                ? try FormatComparison(HuggingFaceTokenizer(contentsOf: path), tokenizer, onLinesOf: corpus)
                : try FormatComparison(
                    Tokenizer(GGUFVocabulary.model(contentsOf: path)), tokenizer, onLinesOf: corpus)
            return FormatAgreement(path: path, lines: comparison.lines, differing: comparison.differing)
        }
    }
}
