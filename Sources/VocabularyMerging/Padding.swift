public import PieceModel

extension SentencePieceModel {
    /// The model with a control piece after its own that fills up batches, such as `<pad>`: no text becomes it.
    ///
    /// - Throws: `MergeError.padTokenExists` if an entry has that text already.
    public func addingPadToken(_ text: String) throws(MergeError) -> SentencePieceModel {
        if let id = pieces.firstIndex(where: { $0.piece.utf8.elementsEqual(text.utf8) }) {
            throw .padTokenExists(path: path, piece: text, id: id)
        }
        var padded = self
        padded.append(text, .control)
        padded.proto.trainerSpec.padID = Int32(pieces.count)
        padded.proto.trainerSpec.padPiece = text
        return padded
    }

    /// The model with unused pieces after its own, `[PAD49954]` and so on, up to a number of entries that `factor` divides.
    ///
    /// The names are those that llama.cpp's converter gives to rows without an entry.
    public func paddedToMultiple(of factor: Int) throws(MergeError) -> SentencePieceModel {
        var padded = self
        while !padded.pieces.count.isMultiple(of: factor) {
            let text = "[PAD\(padded.pieces.count)]"
            if let id = pieces.firstIndex(where: { $0.piece == text }) {
                throw .padTokenExists(path: path, piece: text, id: id)
            }
            padded.append(text, .unused)
        }
        return padded
    }

    private mutating func append(_ text: String, _ type: Piece.TypeEnum) {
        var piece = Piece()
        piece.piece = text
        piece.score = 0
        piece.type = type
        proto.pieces.append(piece)
        proto.trainerSpec.vocabSize = Int32(pieces.count)
    }
}
