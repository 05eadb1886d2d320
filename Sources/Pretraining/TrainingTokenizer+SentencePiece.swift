public import FileIO
import TokenizerFormats
public import Tokenizers

/// Why a tokenizer that is no SentencePiece model cannot take the place of one.
public enum TrainingTokenizerError: BadDataError, Equatable {
    /// So many lines of the formats' probe get other ids from the model that was made of it.
    case inexact(path: String, differing: Int, lines: Int)

    public var description: String {
        switch self {
        case .inexact(let path, let differing, let lines):
            "\(path): the SentencePiece model that can be made of it gives other ids to \(differing) of \(lines)"
                + " lines of a probe; where that will do, make it with `kuoci convert` and name it with --tokenizer"
        }
    }
}

extension TrainingTokenizer {
    /// A .model, tokenizer.json or GGUF file, or a directory that holds tokenizer.model or else tokenizer.json.
    ///
    /// - Throws: what reading the file throws, `TrainingDataError.noEndPiece`, or `TrainingTokenizerError.inexact`.
    public init(contentsOf path: String) throws {
        let file = try TokenizerFile(contentsOf: path)
        try file.checkConversion()
        let tokenizer = file.tokenizer
        guard let end = tokenizer.endID else { throw TrainingDataError.noEndPiece(tokenizer: file.path) }
        self.init(
            path: file.path, digest: try SHA256.hexDigest(ofFile: file.path), pieceCount: tokenizer.count,
            beginID: tokenizer.beginID?.rawValue, endID: end.rawValue,
            pieceBytes: PieceBytes(tokenizer),
            encode: { document in document.withUnsafeBytes { tokenizer.encode(utf8: $0).map(\.rawValue) } },
            decoder: { context in
                try StreamingDecoder(tokenizer, after: context.map { PieceID(rawValue: $0) })
            })
    }
}

extension TokenizerFile {
    /// - Throws: `TrainingTokenizerError.inexact` if a tokenizer.json encodes otherwise than what it was read as.
    fileprivate func checkConversion() throws {
        guard let original else { return }
        let comparison = try FormatComparison(original, tokenizer, onLinesOf: [])
        if comparison.differing > 0 {
            throw TrainingTokenizerError.inexact(
                path: path, differing: comparison.differing, lines: comparison.lines)
        }
    }
}

extension StreamingDecoder: TextDecoder {
    public mutating func append(_ id: Int32) throws -> String {
        try append(PieceID(rawValue: id))
    }

    public func rest() -> String { finish() }
}
