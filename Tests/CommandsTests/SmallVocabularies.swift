import FileIO
import PieceModel

/// Writes a BPE model of <unk>, the 256 bytes and given pieces, each scored below the one before.
func writeModel(_ pieces: [String], to path: String) throws {
    var proto = Sentencepiece_ModelProto()
    func append(_ text: String, _ score: Float, _ type: SentencePieceModel.Piece.TypeEnum) {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = score
        piece.type = type
        proto.pieces.append(piece)
    }
    append("<unk>", 0, .unknown)
    for byte in UInt8.min...UInt8.max { append(PieceModel.piece(forByte: byte), 0, .byte) }
    for (index, text) in pieces.enumerated() { append(text, -Float(index), .normal) }
    proto.trainerSpec.modelType = .bpe
    proto.trainerSpec.byteFallback = true
    proto.normalizerSpec.addDummyPrefix = false
    proto.normalizerSpec.removeExtraWhitespaces = false
    try writeFile(path, SentencePieceModel(proto: proto).serialized())
}
