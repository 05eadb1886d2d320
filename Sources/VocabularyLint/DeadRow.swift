public import Tokenizers

/// A row whose piece does not encode to itself, so that no text ever gives it.
///
/// What is encoded is the piece's own bytes, with no normalization and no space put before them. That decides for every
/// text: where a BPE text ends with a piece no merge ever crossed that piece's borders, so that between them everything
/// went as it goes in the piece alone. In a unigram model the better way through a piece is the better one wherever it
/// stands.
public struct DeadRow: Sendable, Equatable {
    public var id: PieceID
    /// What its piece is cut into instead: entries, bytes for a character that has none.
    public var parts: [PieceID]
    public var reason: Reason

    public enum Reason: Sendable, Equatable {
        /// No chain of two-piece merges makes it; one would with these pieces, the fewest there are.
        case noChain(bridges: [String])
        /// There are chains. The merge that makes this piece comes first and cuts the last of them off; nil where the piece
        /// is too long to look into.
        case forestalled(by: PieceID?)
        /// Normalization leaves it in no text.
        case normalizedAway
        /// A user-defined piece, cut out of the text first, is part of it.
        case holdsUserDefined(PieceID)
        /// The model does not merge, and takes the parts.
        case partsPreferred
    }
}
