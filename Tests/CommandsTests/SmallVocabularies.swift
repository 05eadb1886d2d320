import FileIO
import PieceModel
import TestSupport

/// Writes a BPE model of <unk>, the 256 bytes and given pieces, each scored below the one before.
func writeModel(_ pieces: [String], to path: String) throws {
    var proto = Sentencepiece_ModelProto()
    proto.append("<unk>", 0, .unknown)
    proto.appendBytes()
    for (index, text) in pieces.enumerated() { proto.append(text, -Float(index)) }
    proto.trainerSpec.modelType = .bpe
    proto.trainerSpec.byteFallback = true
    proto.normalizerSpec.addDummyPrefix = false
    proto.normalizerSpec.removeExtraWhitespaces = false
    try writeFile(path, SentencePieceModel(proto: proto).serialized())
}
