import FileIO
import PieceModel
import TestSupport
import Testing
import TokenizerMetrics
import Tokenizers

/// A tokenizer of pieces and bytes that takes text as it is.
func characterTokenizer(_ pieces: [String]) throws -> Tokenizer {
    var proto = Sentencepiece_ModelProto()
    var unknown = SentencePieceModel.Piece()
    unknown.piece = "<unk>"
    unknown.type = .unknown
    proto.pieces.append(unknown)
    let bytes = (UInt8.min...UInt8.max).map { (PieceModel.piece(forByte: $0), SentencePieceModel.Piece.TypeEnum.byte) }
    for (text, type) in bytes + pieces.map({ ($0, .normal) }) {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.type = type
        proto.pieces.append(piece)
    }
    proto.trainerSpec.modelType = .bpe
    proto.trainerSpec.byteFallback = true
    proto.normalizerSpec.addDummyPrefix = false
    return try Tokenizer(SentencePieceModel(proto: proto))
}

struct TokenizationMeasureTests {
    @Test func `counts tokens, fallback and changed texts`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/text.txt"
            try writeFile(path, "ab\n\n中a\nb".utf8)
            let measure = try TokenizationMeasure(
                file: path, tokenizers: [characterTokenizer(["a", "b"]), characterTokenizer(["a", "b", "ab"])])
            #expect((measure.texts, measure.characters, measure.bytes) == (3, 5, 7))
            #expect(measure.counts.map(\.tokens) == [7, 6])
            #expect(measure.counts.map(\.fallbackTokens) == [3, 3])
            #expect(measure.counts.map(\.changedTexts) == [0, 1])
            // <unk>, 256 bytes, then the pieces: a and b twice each; a once, b once, ab once.
            #expect(measure.counts.map { Array($0.uses.counts[257...]) } == [[2, 2], [1, 1, 1]])
            #expect(measure.counts.map(\.uses.usedEntries) == [5, 6])
        }
    }
}
