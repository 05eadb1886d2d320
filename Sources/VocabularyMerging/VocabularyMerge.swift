public import PieceModel

/// A base vocabulary with the pieces of another after its own.
public struct VocabularyMerge: Sendable {
    public let model: SentencePieceModel
    /// Pieces added, bridges included.
    public let added: Int
    /// Pieces of the addition that the base holds already.
    public let shared: Int
    /// Pieces left out because the wanted size was reached.
    public let dropped: Int
    /// Pieces added only because others are reached through them.
    public let bridges: Int
    /// Pieces left out because they hold no character of the wanted scripts.
    public let foreign: Int
    /// Pieces left out because no text can become them.
    public let unreachable: Int
    /// Words asked for that could not be added.
    public let wordsLeftOut: [String]
    /// Characters of the scripts asked for that could not be added.
    public let charactersLeftOut: [String]

    init(
        model: SentencePieceModel, added: Int, shared: Int, dropped: Int, bridges: Int = 0, foreign: Int = 0,
        unreachable: Int = 0, wordsLeftOut: [String] = [], charactersLeftOut: [String] = []
    ) {
        self.model = model
        self.added = added
        self.shared = shared
        self.dropped = dropped
        self.bridges = bridges
        self.foreign = foreign
        self.unreachable = unreachable
        self.wordsLeftOut = wordsLeftOut
        self.charactersLeftOut = charactersLeftOut
    }

    /// The published recipe: each piece of the addition that the base lacks is appended in file order with score 0 and no
    /// type field (normal); the rest of the base stays as it is. Serialized, the result has the bytes that Python gives for
    /// the same steps.
    ///
    /// - Parameter size: the number of entries at which to stop; nil for all.
    /// - Throws: `MergeError` if the base cannot be extended so or the size cannot be reached.
    public init(base: SentencePieceModel, addition: SentencePieceModel, size: Int? = nil) throws {
        try Self.check(base, size: size)
        var known = ByteStringTable(minimumCapacity: base.pieces.count + addition.pieces.count)
        for piece in base.pieces { known.insert(piece.piece.utf8) }
        var merged = base
        var shared = 0
        var dropped = 0
        for piece in addition.pieces {
            if known.index(of: piece.piece.utf8) != nil {
                shared += 1
            } else if let size, merged.proto.pieces.count >= size {
                dropped += 1
            } else {
                known.insert(piece.piece.utf8)
                var new = SentencePieceModel.Piece()
                new.piece = piece.piece
                new.score = 0
                merged.proto.pieces.append(new)
            }
        }
        if let size, merged.pieces.count < size {
            throw MergeError.tooFewPieces(size: size, path: addition.path, possible: merged.pieces.count)
        }
        merged.path = base.path
        try merged.validate()
        self.init(model: merged, added: merged.pieces.count - base.pieces.count, shared: shared, dropped: dropped)
    }

    static func check(_ base: SentencePieceModel, size: Int?) throws(MergeError) {
        guard base.proto.trainerSpec.modelType == .bpe else { throw .baseIsNotBPE(path: base.path) }
        if let size, size < base.pieces.count {
            throw .sizeBelowBase(size: size, path: base.path, count: base.pieces.count)
        }
    }
}
