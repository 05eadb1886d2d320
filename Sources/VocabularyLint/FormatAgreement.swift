import Foundation
import PieceModel
import TokenizerFormats
import Tokenizers

/// Whether another file of a tokenizer gives the same ids.
public struct FormatAgreement: Sendable, Equatable {
    public var path: String
    public var lines: Int
    public var differing: Int

    /// Compares a tokenizer with another file.
    ///
    /// - Parameter corpus: texts to compare on, one a line; a built-in probe made of the tokenizer's pieces if empty.
    init(of tokenizer: Tokenizer, with path: String, on corpus: [String]) throws {
        let comparison =
            TokenizerFileFormat(path: path) == .json
            ? try FormatComparison(HuggingFaceTokenizer(contentsOf: path), tokenizer, onLinesOf: corpus)
            : try FormatComparison(TokenizerFile(contentsOf: path).tokenizer, tokenizer, onLinesOf: corpus)
        (self.path, lines, differing) = (path, comparison.lines, comparison.differing)
    }

    /// The tokenizer.json and the GGUF files that lie beside a tokenizer in `directory`.
    static func files(beside tokenizer: Tokenizer, in directory: String) throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
        return names.filter { $0 == "tokenizer.json" || $0.hasSuffix(".gguf") }.map { directory + "/" + $0 }
            .filter { $0 != tokenizer.model.path }
    }
}
