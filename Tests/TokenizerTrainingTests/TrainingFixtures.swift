import FileIO
import PieceModel
import TestSupport
import Tokenizers

@testable import TokenizerTraining

/// Specifications with the identity normalizer and no dummy prefix, over a file that holds `text`.
func specifications(
    _ text: String, in directory: String, type: Sentencepiece_TrainerSpec.ModelType, size: Int32
) throws -> (trainer: Sentencepiece_TrainerSpec, normalizer: Sentencepiece_NormalizerSpec) {
    let path = directory + "/text.txt"
    try writeFile(path, text.utf8)
    var trainer = Sentencepiece_TrainerSpec()
    trainer.input = [path]
    trainer.modelType = type
    trainer.vocabSize = size
    trainer.characterCoverage = 1
    var normalizer = Sentencepiece_NormalizerSpec()
    normalizer.name = "identity"
    normalizer.addDummyPrefix = false
    return (trainer, normalizer)
}

/// Trains on a text.
func trainModel(
    _ text: String, type: Sentencepiece_TrainerSpec.ModelType, size: Int32, threads: Int = 2,
    dummyPrefix: Bool = false, adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
) throws -> SentencePieceModel {
    try withTemporaryDirectory { directory in
        var (trainer, normalizer) = try specifications(text, in: directory, type: type, size: size)
        normalizer.addDummyPrefix = dummyPrefix
        adjust(&trainer)
        return try TokenizerTrainer(
            specification: trainer, normalizerSpecification: normalizer, threads: threads
        ).train()
    }
}

/// The pieces that were learned, separated by spaces.
func learnedPieces(_ model: SentencePieceModel) -> String {
    model.pieces.filter { $0.type == .normal }.map(\.piece).joined(separator: " ")
}

/// The sentences of a text, as the unigram trainer gets them.
func loadSentences(
    _ text: [UInt8], threads: Int = 1, name: String = "text.txt", encoding: String? = nil,
    adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
) throws -> (texts: [String], frequencies: [Int64], tally: LineTally) {
    try withTemporaryDirectory { directory in
        let path = directory + "/" + name
        try writeFile(path, text)
        var specification = Sentencepiece_TrainerSpec()
        specification.input = [path]
        adjust(&specification)
        var normalizer = Sentencepiece_NormalizerSpec()
        normalizer.name = "identity"
        normalizer.addDummyPrefix = false
        let trainer = TokenizerTrainer(specification: specification, normalizerSpecification: normalizer)
        let special = try SpecialPieces(trainer.specification)
        let preparation = SentencePreparation(
            specification: specification,
            normalizer: try .init(specification: normalizer, treatsWhitespaceAsSuffix: false, path: "test"),
            special: special)
        let corpus = TrainingCorpus(
            specification: specification, encoding: encoding, threads: threads, progress: nil)
        let sentences = try TrainingSentences(corpus, preparation: preparation)
        let texts = (0..<sentences.count).map {
            String(decoding: sentences.bytes[sentences.range(of: $0)], as: UTF8.self)
        }
        return (texts, (0..<sentences.count).map { sentences.frequency(of: $0) }, sentences.tally)
    }
}
