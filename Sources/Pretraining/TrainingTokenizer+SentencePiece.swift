import FileIO
import Foundation
public import Tokenizers

extension TrainingTokenizer {
    /// A SentencePiece model: a .model file, or a directory that holds tokenizer.model.
    ///
    /// - Throws: what reading the file throws, or `TrainingDataError.noEndPiece`.
    public init(contentsOf path: String) throws {
        var isDirectory: ObjCBool = false
        let isThere = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        let file = isThere && isDirectory.boolValue ? path + "/tokenizer.model" : path
        let tokenizer = try Tokenizer(contentsOf: file)
        guard let end = tokenizer.endID else { throw TrainingDataError.noEndPiece(tokenizer: file) }
        self.init(
            path: file, digest: try SHA256.hexDigest(ofFile: file), pieceCount: tokenizer.count,
            beginID: tokenizer.beginID?.rawValue, endID: end.rawValue,
            pieceBytes: PieceBytes(tokenizer),
            encode: { document in document.withUnsafeBytes { tokenizer.encode(utf8: $0).map(\.rawValue) } },
            decoder: { context in
                try StreamingDecoder(tokenizer, after: context.map { PieceID(rawValue: $0) })
            })
    }
}

extension StreamingDecoder: TextDecoder {
    public mutating func append(_ id: Int32) throws -> String {
        try append(PieceID(rawValue: id))
    }

    public func rest() -> String { finish() }
}
