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
    ///
    /// - Throws: `MergeError.padTokenExists` if an entry has such a name already, `MergeError.tooMuchPadding`.
    public func paddedToMultiple(of factor: Int) throws(MergeError) -> SentencePieceModel {
        precondition(factor > 0, "a multiple of nothing is asked for")
        let count = pieces.count
        let missing = count.isMultiple(of: factor) ? 0 : factor - count % factor
        if missing == 0 { return self }
        if missing > IDMap.mostEntries - count {
            throw .tooMuchPadding(path: path, factor: factor, most: IDMap.mostEntries)
        }
        let ids = Dictionary(
            pieces.enumerated().map { (Array($1.piece.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        var padded = self
        for number in count..<count + missing {
            let text = "[PAD\(number)]"
            if let id = ids[Array(text.utf8)] { throw .padTokenExists(path: path, piece: text, id: id) }
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
