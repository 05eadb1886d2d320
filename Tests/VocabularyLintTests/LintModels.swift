import PieceModel
import Tokenizers

/// A tokenizer of <unk> and given pieces with their scores, which takes text as it is.
func tokenizer(
    _ pieces: [(String, Float)], type: Sentencepiece_TrainerSpec.ModelType = .bpe, userDefined: Set<String> = [],
    dummyPrefix: Bool = false, removeExtra: Bool = false
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
    proto.normalizerSpec.addDummyPrefix = dummyPrefix
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
