public import FileIO

/// Why a SentencePiece model is refused. The rules are those of SentencePiece 0.2.3.
public enum PieceModelError: BadDataError, Equatable {
    case empty(path: String)
    /// The file is something else: an HTML page, a Git LFS pointer, a pickle.
    case foreign(path: String, what: String)
    case malformed(path: String, reason: String)
    case noPieces(path: String)
    /// A fault of one piece, counted from zero.
    case badPiece(path: String, index: Int, reason: String)
    case noUnknownPiece(path: String)
    case missingBytePieces(path: String, found: Int)
    case badCharsmap(path: String, reason: String)
    /// More pieces, with the characters that they are made of, than segmentation can number.
    case tooLarge(path: String, limit: Int)

    public var description: String {
        switch self {
        case .empty(let path): "\(path): the file is empty where a SentencePiece model is needed; copy it again"
        case .foreign(let path, let what): "\(path): this is \(what), not a SentencePiece model; fetch the real file"
        case .malformed(let path, let reason):
            "\(path): not a SentencePiece model, or cut short (\(reason)); copy it again and compare its SHA-256"
        case .noPieces(let path): "\(path): the model holds no pieces; train it or copy it again"
        case .badPiece(let path, let index, let reason): "\(path): piece \(index) \(reason); mend the model's maker"
        case .noUnknownPiece(let path):
            "\(path): no piece is of type unknown; add <unk> as sentencepiece's trainer does"
        case .missingBytePieces(let path, let found):
            "\(path): byte_fallback is on but only \(found) of 256 byte pieces exist; train it with --byte_fallback"
        case .badCharsmap(let path, let reason):
            "\(path): the normalizer's precompiled_charsmap is broken (\(reason)); copy the model again"
        case .tooLarge(let path, let limit):
            "\(path): the model has more than \(limit) pieces and characters; use a smaller vocabulary"
        }
    }
}
