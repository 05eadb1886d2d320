import PieceModel
import Tokenizers

/// A tokenizer of <unk> and given pieces with their scores, which takes text as it is; the 256 bytes come last if asked for.
func tokenizer(
    _ pieces: [(String, Float)], type: Sentencepiece_TrainerSpec.ModelType = .bpe, userDefined: Set<String> = [],
    removeExtra: Bool = false, withBytes: Bool = false
) throws -> Tokenizer {
    var proto = Sentencepiece_ModelProto()
    for (index, (text, score)) in ([("<unk>", 0)] + pieces).enumerated() {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = score
        piece.type = index == 0 ? .unknown : userDefined.contains(text) ? .userDefined : .normal
        proto.pieces.append(piece)
    }
    proto.trainerSpec.modelType = type
    proto.trainerSpec.byteFallback = withBytes
    for byte in 0..<(withBytes ? 256 : 0) {
        var piece = SentencePieceModel.Piece()
        piece.piece = PieceModel.piece(forByte: UInt8(byte))
        piece.type = .byte
        proto.pieces.append(piece)
    }
    proto.normalizerSpec.addDummyPrefix = false
    proto.normalizerSpec.removeExtraWhitespaces = removeExtra
    return try Tokenizer(SentencePieceModel(proto: proto, path: "test.model"))
}

/// Every text over an alphabet of at least one and at most `length` characters.
func texts(over alphabet: [String], upTo length: Int) -> [String] {
    var all: [String] = []
    var latest = [""]
    for _ in 0..<length {
        latest = latest.flatMap { text in alphabet.map { text + $0 } }
        all += latest
    }
    return all
}
