import ArgumentParser
import FileIO
import Foundation
import OrderedJSON
import Partitioning
import PieceModel
import Provenance
import TokenizerTraining

struct TrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train",
        abstract: "Trains a SentencePiece vocabulary from text.",
        discussion: """
            Takes spm_train's flags, with underscores or hyphens, and gives the pieces, scores and types that \
            sentencepiece 0.2.3 gives. Writes PREFIX.model, PREFIX.vocab and PREFIX.kuoci.json.

            Examples:
            kuoci train --input corpora/sample.zh.txt --model-prefix /tmp/zh --vocab-size 1600 --model-type bpe
            kuoci train --input corpora/sample.zh.txt --base-model /tmp/zh.model --new-pieces 50 --scripts Han \
            --model-prefix /tmp/more
            """)

    @OptionGroup(title: "Input and output") var files: TrainFileOptions
    @OptionGroup(title: "Vocabulary") var vocabulary: VocabularyOptions
    @OptionGroup(title: "Which pieces may form") var pieces: PieceRuleOptions
    @OptionGroup(title: "Special pieces") var special: SpecialPieceOptions
    @OptionGroup(title: "Normalization") var normalization: NormalizationOptions
    @OptionGroup(title: "Going on from a vocabulary") var continuation: ContinuationOptions
    @OptionGroup(title: "Unigram training") var unigram: UnigramFlags
    @OptionGroup(title: "Retired") var retired: RetiredTrainOptions
    @OptionGroup var progress: ProgressOptions

    /// The options that are switches, by name.
    static let switches: Set<String> = [
        "--byte-fallback", "--split-by-unicode-script", "--split-by-number", "--split-by-whitespace", "--split-digits",
        "--treat-whitespace-as-suffix", "--allow-whitespace-only-pieces", "--vocabulary-output-piece-score",
        "--hard-vocab-limit", "--use-all-vocab", "--add-dummy-prefix", "--remove-extra-whitespaces",
        "--shuffle-input-sentence", "--auto-character-coverage", "--use-sparse-pruning", "--post-l1-debias",
        "--train-extremely-large-corpus", "--enable-differential-privacy",
    ]

    func run() throws {
        var specification = Sentencepiece_TrainerSpec()
        files.apply(to: &specification)
        vocabulary.apply(to: &specification)
        pieces.apply(to: &specification)
        try special.apply(to: &specification)
        unigram.apply(to: &specification)
        try files.checkOutputs()
        for remark in retired.remarks { printDiagnostic("kuoci: \(remark)") }

        let continued = try continuation.continuation(vocabularySize: specification.vocabSize)
        if let continued {
            specification.modelType = .bpe
            specification.vocabSize = Int32(continued.base.pieces.count + continued.newPieces)
        }
        if progress.progress != .none { printDiagnostic(memoryNotice(specification)) }
        var trainer = TokenizerTrainer(
            specification: specification, normalizerSpecification: try normalization.specification(),
            threads: files.threads ?? availableProcessors)
        trainer.denormalizerSpecification = try normalization.denormalization()
        trainer.encoding = files.foreignEncoding
        trainer.unigram = unigram.options(randomSeed: files.randomSeed)
        trainer.progress = progress.handler()
        trainer.continuation = continued
        trainer.growth = try vocabulary.growth()
        let model = try trainer.train()
        try save(model, inputs: specification.input + [continuation.baseModel].compactMap { $0 })
        print("\(files.modelPrefix).model: \(model.pieces.count) pieces")
    }

    private func save(_ model: SentencePieceModel, inputs: [String]) throws {
        let directory = URL(fileURLWithPath: files.modelPrefix).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let withScores = model.proto.trainerSpec.vocabularyOutputPieceScore
        try writeFile(files.modelPrefix + ".vocab", model.vocabularyText(withScores: withScores).utf8)
        let manifest = Manifest(
            options: ["trainer_spec": try JSONValue(parsing: model.trainerSpecificationJSON())],
            inputs: inputs, results: ["pieces": .integer(model.pieces.count)])
        try writeFile(files.modelPrefix + ".kuoci.json", try manifest.json().utf8(.pretty) + [0x0A])
        // Last, since the others are named by it.
        try writeFile(files.modelPrefix + ".model", try model.serialized())
    }
}
