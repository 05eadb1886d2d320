extension SentencePieceModel {
    /// The lowest score of what can be merged into; 0 if there is nothing.
    package var lowestMergeScore: Float {
        pieces.lazy.filter { $0.type == .normal || $0.type == .unused }.map(\.score).min() ?? 0
    }

    /// Whether scores below all others can be given to as many pieces as a model may have.
    package var hasRoomBelow: Bool {
        lowestMergeScore.isFinite && lowestMergeScore > -0x1p120
    }

    /// The model with more pieces after its own, each scored below the one before and the first below all of the model.
    ///
    /// Encoding makes the model's own merges first, and then the new ones in their order.
    package func extended(by texts: some Sequence<[UInt8]>) -> SentencePieceModel {
        var extended = self
        var score = lowestMergeScore
        for text in texts {
            // Where numbers are so large that one less is the same, the next smaller one.
            score = min(score - 1, score.nextDown)
            var piece = Piece()
            piece.piece = String(decoding: text, as: UTF8.self)
            piece.score = score
            extended.proto.pieces.append(piece)
        }
        extended.proto.trainerSpec.vocabSize = Int32(extended.pieces.count)
        return extended
    }
}
