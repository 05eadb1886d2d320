public import PieceModel

extension Sentencepiece_ModelProto {
    /// Adds a piece after the others.
    public mutating func append(
        _ text: String, _ score: Float, _ type: SentencePieceModel.Piece.TypeEnum = .normal
    ) {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = score
        piece.type = type
        pieces.append(piece)
    }

    /// Adds `<unk>`, `<s>` and `</s>`.
    public mutating func appendSpecialPieces() {
        append("<unk>", 0, .unknown)
        append("<s>", 0, .control)
        append("</s>", 0, .control)
    }

    /// Adds the pieces of the 256 bytes, in their order.
    public mutating func appendBytes() {
        for byte in UInt8.min...UInt8.max { append(piece(forByte: byte), 0, .byte) }
    }
}
