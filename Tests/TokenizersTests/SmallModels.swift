import Foundation
import PieceModel

/// A model of given pieces and scores after <unk>, <s>, </s>.
func model(
    _ pieces: [(String, Float)], type: Sentencepiece_TrainerSpec.ModelType = .bpe, userDefined: Set<String> = [],
    unused: Set<String> = [], byteFallback: Bool = false, dummyPrefix: Bool = false, removeExtra: Bool = false
) -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    func append(_ text: String, _ score: Float, _ type: SentencePieceModel.Piece.TypeEnum) {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = score
        piece.type = type
        proto.pieces.append(piece)
    }
    append("<unk>", 0, .unknown)
    append("<s>", 0, .control)
    append("</s>", 0, .control)
    if byteFallback {
        for byte in UInt8.min...UInt8.max { append(PieceModel.piece(forByte: byte), 0, .byte) }
    }
    for (text, score) in pieces {
        append(text, score, userDefined.contains(text) ? .userDefined : unused.contains(text) ? .unused : .normal)
    }
    proto.trainerSpec.modelType = type
    proto.trainerSpec.byteFallback = byteFallback
    proto.normalizerSpec.addDummyPrefix = dummyPrefix
    proto.normalizerSpec.removeExtraWhitespaces = removeExtra
    return SentencePieceModel(proto: proto)
}
