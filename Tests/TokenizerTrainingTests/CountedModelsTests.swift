import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing

@testable import TokenizerTraining

private let apples = "I have a pen\nI have an apple\napple pen\n"

struct CountedModelsTests {
    // Vectors of sentencepiece's char_model_trainer_test and word_model_trainer_test.
    @Test(arguments: [
        (Sentencepiece_TrainerSpec.ModelType.char, Int32(100), "▁ a e p n I h l v"), (.char, 5, "▁ a"),
        (.word, 7, "▁I ▁apple ▁have ▁pen"),
    ])
    func `pieces are the most frequent`(type: Sentencepiece_TrainerSpec.ModelType, size: Int32, expected: String) throws
    {
        let model = try trainModel(apples, type: type, size: size, dummyPrefix: true) {
            $0.hardVocabLimit = false
        }
        #expect(learnedPieces(model) == expected)
    }

    @Test func `scores are logarithms of shares, in single precision`() throws {
        let model = try trainModel("aab\n", type: .char, size: 10)
        // logf(2) - logf(3) and logf(1) - logf(3).
        #expect(model.pieces.suffix(2).map(\.score.bitPattern) == [0xBECF_9920 as UInt32, 0xBF8C_9F54])
        #expect(model.proto.trainerSpec.vocabSize == 5)
    }

    @Test func `a word model needs its size unless the limit is soft`() throws {
        #expect(throws: TrainingError.tooFewMerges(vocabularySize: 10, possible: 9)) {
            try trainModel(apples, type: .word, size: 10, dummyPrefix: true)
        }
        let all = try trainModel(apples, type: .word, size: 4, dummyPrefix: true) { $0.useAllVocab = true }
        #expect(all.pieces.count == 9)
    }

    @Test func `words with characters outside the alphabet are left out`() throws {
        let text = String(repeating: "ab ", count: 100) + "xb\n"
        let model = try trainModel(text, type: .word, size: 10) {
            $0.characterCoverage = 0.98
            $0.hardVocabLimit = false
        }
        #expect(learnedPieces(model) == "▁ab ab")
    }

    @Test func `a word model's symbols come with a space before them too`() throws {
        let model = try trainModel(apples, type: .word, size: 20, dummyPrefix: true) {
            $0.hardVocabLimit = false
            $0.userDefinedSymbols = ["pen", "▁I"]
        }
        #expect(model.pieces.filter { $0.type == .userDefined }.map(\.piece) == ["pen", "▁pen", "▁I"])
    }
}

struct SharedCorpusTests {
    private func train(_ type: Sentencepiece_TrainerSpec.ModelType, _ adjust: (inout Sentencepiece_TrainerSpec) -> Void)
        throws -> SentencePieceModel?
    {
        guard let path = sharedData("corpora/botchan.en.txt") else { return nil }
        var specification = Sentencepiece_TrainerSpec()
        specification.input = [path]
        specification.modelType = type
        specification.vocabSize = 1000
        adjust(&specification)
        var normalizer = Sentencepiece_NormalizerSpec()
        normalizer.name = "nmt_nfkc"
        normalizer.precompiledCharsmap = .init(try NormalizationRules.charsmap(named: "nmt_nfkc"))
        return try TokenizerTrainer(specification: specification, normalizerSpecification: normalizer).train()
    }

    // Numbers of sentencepiece's sentencepiece_trainer_test.
    @Test func `botchan gives as many pieces as sentencepiece finds`() throws {
        if let model = try train(.bpe, { _ in }) { #expect(model.pieces.count == 1000) }
        if let model = try train(.word, { _ in }) { #expect(model.pieces.count == 1000) }
        if let model = try train(.char, { _ in }) { #expect(model.pieces.count == 72) }
        if let model = try train(.char, { $0.useAllVocab = true }) { #expect(model.pieces.count == 86) }
        if let model = try train(.word, { $0.useAllVocab = true }) { #expect(model.pieces.count == 9186) }
    }
}
