import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerTraining

/// Trains a unigram model on a text with the identity normalizer and no dummy prefix.
private func train(
    _ text: String, size: Int32, partitions: Int32 = 16, threads: Int = 1, options: UnigramOptions = UnigramOptions(),
    adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
) throws -> SentencePieceModel {
    try withTemporaryDirectory { directory in
        let path = directory + "/text.txt"
        try writeFile(path, text.utf8)
        var specification = Sentencepiece_TrainerSpec()
        specification.input = [path]
        specification.modelType = .unigram
        specification.vocabSize = size
        specification.numThreads = partitions
        adjust(&specification)
        var normalizer = Sentencepiece_NormalizerSpec()
        normalizer.name = "identity"
        normalizer.addDummyPrefix = false
        var trainer = TokenizerTrainer(
            specification: specification, normalizerSpecification: normalizer, threads: threads)
        trainer.unigram = options
        return try trainer.train()
    }
}

private func pieces(_ model: SentencePieceModel) -> [String] {
    model.pieces.filter { $0.type == .normal }.map(\.piece)
}

private let weighted = """
    magnanimity \t5
    Pineapple \t6
    i have an apple and a pen \t1
    Overly \t6
    Available \t3

    """

struct UnigramTrainerTests {
    // The pieces of sentencepiece's unigram_model_trainer_test.
    @Test func `learns what sentencepiece learns from weighted lines`() throws {
        let model = try train(weighted, size: 27) { $0.inputFormat = "tsv" }
        #expect(
            pieces(model).sorted().joined(separator: " ")
                == "A Available O Overly P Pineapple a b d e g h i l m magnanimity n p r t v y ▁ ▁an")
    }

    @Test(arguments: [(1, 1), (2, 1), (2, 3), (16, 2)])
    func `the number of cores changes nothing, the number of partitions alone decides`(
        partitions: Int32, threads: Int
    ) throws {
        let text = try String(
            decoding: readFile(repositoryRoot + "/corpora/sample.en.txt").prefix(30000), as: UTF8.self)
        let one = try train(text, size: 400, partitions: partitions)
        let other = try train(text, size: 400, partitions: partitions, threads: threads)
        #expect(one.proto.pieces == other.proto.pieces)
    }

    @Test func `required characters are pieces, rare ones with the lowest scores`() throws {
        let model = try train(weighted, size: 40) {
            $0.inputFormat = "tsv"
            $0.requiredChars = "Ω"
            $0.hardVocabLimit = false
        }
        let scores = model.pieces.filter { $0.type == .normal }.map(\.score)
        let required = try #require(model.pieces.first { $0.piece == "Ω" })
        // Each one that is missing gets a little more than the lowest score.
        #expect(required.score - (scores.min() ?? 0) < 0.01)
    }

    @Test func `a vocabulary smaller than the alphabet is refused`() {
        #expect(throws: TrainingError.alphabetTooLarge(vocabularySize: 10, needed: 22)) {
            try train(weighted, size: 10) { $0.inputFormat = "tsv" }
        }
    }

    @Test func `sparse pruning ends near the wanted size`() throws {
        var options = UnigramOptions()
        options.usesSparsePruning = true
        let text = try String(
            decoding: readFile(repositoryRoot + "/corpora/sample.en.txt").prefix(30000), as: UTF8.self)
        let model = try train(text, size: 400, options: options) { $0.hardVocabLimit = false }
        #expect((380...400).contains(model.pieces.count))
        options.removesPenaltyBias = false
        let biased = try train(text, size: 400, options: options) { $0.hardVocabLimit = false }
        #expect(biased.proto.pieces != model.proto.pieces)
    }

    @Test func `seeds come from a file`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/seeds.tsv"
            try writeFile(path, "apple\t5\nPine\t3\napple\t9\nz z\t4\nnever\t2\n".utf8)
            let model = try train(weighted, size: 60) {
                $0.inputFormat = "tsv"
                $0.seedSentencepiecesFile = path
                $0.hardVocabLimit = false
            }
            let learned = pieces(model).filter { $0.count > 1 }
            #expect(Set(learned).isSubset(of: ["apple", "Pine"]))
            #expect(learned.contains("apple"))
        }
    }

    @Test(arguments: ["apple", "apple\tmany", "apple\t0", "apple\t-3"])
    func `a broken line of seeds is named`(line: String) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/seeds.tsv"
            try writeFile(path, "pen\t2\n\(line)\n".utf8)
            do {
                _ = try train(weighted, size: 60) {
                    $0.inputFormat = "tsv"
                    $0.seedSentencepiecesFile = path
                }
                Issue.record("no error")
            } catch let error as TrainingError {
                #expect(error.description.hasPrefix("\(path): line 2 "))
            }
        }
    }
}
