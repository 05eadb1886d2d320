import Foundation
import PieceModel
import TestSupport

/// A model of given pieces and scores after <unk>, <s>, </s>.
func model(
    _ pieces: [(String, Float)], type: Sentencepiece_TrainerSpec.ModelType = .bpe, userDefined: Set<String> = [],
    unused: Set<String> = [], byteFallback: Bool = false, dummyPrefix: Bool = false, removeExtra: Bool = false
) -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    proto.appendSpecialPieces()
    if byteFallback { proto.appendBytes() }
    for (text, score) in pieces {
        proto.append(text, score, userDefined.contains(text) ? .userDefined : unused.contains(text) ? .unused : .normal)
    }
    proto.trainerSpec.modelType = type
    proto.trainerSpec.byteFallback = byteFallback
    proto.normalizerSpec.addDummyPrefix = dummyPrefix
    proto.normalizerSpec.removeExtraWhitespaces = removeExtra
    return SentencePieceModel(proto: proto)
}
