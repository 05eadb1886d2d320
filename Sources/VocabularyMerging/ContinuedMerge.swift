public import PieceModel

extension SentencePieceModel {
    /// The pieces that continued training added to a base, checked to be such.
    ///
    /// - Throws: `MergeError` where this vocabulary is not the base with pieces after it, each scored below all before.
    public func checkContinues(_ base: SentencePieceModel) throws(MergeError) {
        for (id, piece) in base.pieces.enumerated() {
            guard id < pieces.count, pieces[id].piece.utf8.elementsEqual(piece.piece.utf8),
                pieces[id].type == piece.type,
                pieces[id].score == piece.score
            else {
                throw .doesNotContinue(
                    path: path, base: base.path, id: id, piece: piece.piece,
                    found: id < pieces.count ? pieces[id].piece : nil)
            }
        }
        guard pieces.count > base.pieces.count else { throw .nothingContinued(path: path, base: base.path) }
        var score = base.lowestMergeScore
        for (id, piece) in pieces.enumerated().dropFirst(base.pieces.count) {
            guard piece.type == .normal, piece.score < score else {
                throw .notLearned(path: path, id: id, piece: piece.piece)
            }
            score = piece.score
        }
    }
}
