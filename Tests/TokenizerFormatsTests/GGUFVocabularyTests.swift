import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

/// A BPE model with byte fallback, ready for GGUF.
func byteFallbackModel() throws -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    proto.appendSpecialPieces()
    proto.appendBytes()
    for (index, text) in ["▁a", "\u{E9}", "e\u{301}", "▁", "a", "b", "中"].enumerated() {
        proto.append(text, -0.1 * Float(index))
    }
    proto.trainerSpec.modelType = .bpe
    proto.trainerSpec.byteFallback = true
    proto.normalizerSpec.removeExtraWhitespaces = false
    return SentencePieceModel(proto: proto, path: "small.model")
}

private func read(_ bytes: [UInt8]) throws -> SentencePieceModel {
    try bytes.withUnsafeBytes { try GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
}

@Suite struct GGUFVocabularyTests {
    @Test func `pieces, scores, types and ids come back`() throws {
        let model = try byteFallbackModel()
        let back = try read(GGUFVocabulary.utf8(Tokenizer(model), name: "small"))
        #expect(back.pieces.map { Array($0.piece.utf8) } == model.pieces.map { Array($0.piece.utf8) })
        #expect(back.pieces.map(\.score.bitPattern) == model.pieces.map(\.score.bitPattern))
        #expect(back.pieces.map(\.type) == model.pieces.map(\.type))
        #expect(back.proto.trainerSpec.bosID == 1 && back.proto.trainerSpec.eosID == 2)
        #expect(back.proto.normalizerSpec.addDummyPrefix)
        #expect(!back.proto.normalizerSpec.removeExtraWhitespaces)
        #expect(try Tokenizer(back).encode("a 中é") == Tokenizer(model).encode("a 中é"))
    }

    @Test func `the file begins as GGUF 3 without tensors, and keeps to the alignment`() throws {
        let bytes = try GGUFVocabulary.utf8(Tokenizer(byteFallbackModel()), name: "small")
        #expect(bytes.starts(with: Array("GGUF".utf8) + [3, 0, 0, 0] + Array(repeating: 0, count: 8)))
        #expect(bytes.count % 32 == 0)
    }

    /// Found by fuzzing: with byte fallback sentencepiece passes over a NUL of any type, which must keep its own.
    @Test func `an idle NUL keeps its type`() throws {
        var model = try byteFallbackModel()
        var idle = SentencePieceModel.Piece()
        idle.piece = "\0"
        idle.type = .normal
        model.proto.pieces.append(idle)
        let back = try read(GGUFVocabulary.utf8(Tokenizer(model), name: "small"))
        #expect(back.pieces.last?.type == .normal)
        #expect(back.pieces.count == model.pieces.count)
    }

    @Test func `tensors behind the vocabulary are passed over`() throws {
        var bytes = try GGUFVocabulary.utf8(Tokenizer(byteFallbackModel()), name: "small")
        bytes[8] = 1
        #expect(try read(bytes + Array(repeating: 0xAB, count: 1000)).pieces.count == 266)
    }

    @Test(arguments: ["normalizer", "bytes", "spaces", "suffix", "char"])
    func `what llama.cpp would read differently is refused`(_ what: String) throws {
        var model = try byteFallbackModel()
        switch what {
        case "bytes":
            model.proto.trainerSpec.byteFallback = false
            model.proto.pieces.removeAll { $0.type == .byte }
        case "spaces": model.proto.normalizerSpec.removeExtraWhitespaces = true
        case "suffix": model.proto.trainerSpec.treatWhitespaceAsSuffix = true
        case "char": model.proto.trainerSpec.modelType = .char
        default: model.proto.normalizerSpec.escapeWhitespaces = false
        }
        let tokenizer = try Tokenizer(model)
        let error = #expect(throws: TokenizerFormatError.self) { try GGUFVocabulary.utf8(tokenizer, name: "x") }
        #expect(error?.description.hasPrefix("small.model: cannot be written as GGUF: ") == true)
    }

    @Test func `shared vocabularies come back whole`() throws {
        for name in ["llama-32k", "chinese-20k"] {
            guard let path = sharedData("tokenizers/\(name).model") else { continue }
            let model = try SentencePieceModel(contentsOf: path)
            let back = try read(GGUFVocabulary.utf8(Tokenizer(model), name: name))
            #expect(
                back.pieces == model.pieces
                    || zip(back.pieces, model.pieces).allSatisfy {
                        $0.piece == $1.piece && $0.score == $1.score && $0.type == $1.type
                    })
            #expect(back.pieces.count == model.pieces.count)
        }
    }
}
