import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import VocabularyMerging

private func model(_ pieces: [String], type: Sentencepiece_TrainerSpec.ModelType = .bpe) -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    for (index, text) in (["<unk>"] + pieces).enumerated() {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.score = -Float(index)
        if index == 0 { piece.type = .unknown }
        proto.pieces.append(piece)
    }
    proto.trainerSpec.modelType = type
    return SentencePieceModel(proto: proto, path: "test.model")
}

struct VocabularyMergeTests {
    @Test func `appends what the base lacks in file order`() throws {
        let merge = try VocabularyMerge(base: model(["a", "b"]), addition: model(["c", "a", "d"], type: .unigram))
        #expect(merge.model.pieces.map(\.piece) == ["<unk>", "a", "b", "c", "d"])
        #expect(merge.model.pieces.suffix(2).map(\.score) == [0, 0])
        #expect(merge.model.pieces.suffix(2).allSatisfy { !$0.hasType && $0.hasScore })
        #expect((merge.added, merge.shared, merge.dropped) == (2, 2, 0))
    }

    @Test func `stops at the wanted size`() throws {
        let merge = try VocabularyMerge(base: model(["a"]), addition: model(["c", "d", "e"]), size: 4)
        #expect(merge.model.pieces.map(\.piece) == ["<unk>", "a", "c", "d"])
        #expect(merge.dropped == 1)
    }

    @Test func `canonically equivalent pieces stay apart`() throws {
        let merge = try VocabularyMerge(base: model(["\u{E9}"]), addition: model(["e\u{301}"]))
        #expect(merge.added == 1)
    }

    @Test func `a size out of reach is refused`() {
        #expect(throws: MergeError.tooFewPieces(size: 9, path: "test.model", possible: 3)) {
            try VocabularyMerge(base: model(["a"]), addition: model(["c"]), size: 9)
        }
        #expect(throws: MergeError.sizeBelowBase(size: 1, path: "test.model", count: 2)) {
            try VocabularyMerge(base: model(["a"]), addition: model(["c"]), size: 1)
        }
        #expect(throws: MergeError.baseIsNotBPE(path: "test.model")) {
            try VocabularyMerge(base: model(["a"], type: .unigram), addition: model(["c"]))
        }
    }

    @Test func `the published models make 49,953 entries and 35 becomes 16`() throws {
        guard let llama = sharedData("tokenizers/llama-32k.model"),
            let chinese = sharedData("tokenizers/chinese-20k.model")
        else { return }
        let base = try SentencePieceModel(contentsOf: llama)
        let merge = try VocabularyMerge(base: base, addition: SentencePieceModel(contentsOf: chinese))
        #expect(merge.model.pieces.count == 49_953)
        #expect(Array(try merge.model.serialized().prefix(400_000)) == Array(try base.serialized().prefix(400_000)))
        let sentence = "人工智能是计算机科学、心理学、哲学等学科融合的交叉学科。"
        #expect(try Tokenizer(base).encode(sentence).count == 35)
        #expect(try Tokenizer(merge.model).encode(sentence).count == 16)
    }
}
