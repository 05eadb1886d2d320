import PieceModel

/// A BPE model of pieces and scores after <unk>, whose id is 0.
func bpeModel(_ pieces: [(String, Float)], path: String = "test.model") -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    for (text, score) in [("<unk>", 0)] + pieces {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = score
        if proto.pieces.isEmpty { piece.type = .unknown }
        proto.pieces.append(piece)
    }
    proto.trainerSpec.modelType = .bpe
    proto.normalizerSpec.addDummyPrefix = false
    proto.normalizerSpec.removeExtraWhitespaces = false
    return SentencePieceModel(proto: proto, path: path)
}
