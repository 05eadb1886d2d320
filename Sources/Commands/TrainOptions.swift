import ArgumentParser
import FileIO
import Foundation
import PieceModel
import TokenizerTraining

struct TrainFileOptions: ParsableArguments {
    @Option(help: "Text files, one sentence or paragraph a line, separated by commas; plain, gzip or zstd.")
    var input: String

    @Option(help: "text, or tsv: each line is a sentence or word, a tab, and how often it occurs (default: text).")
    var inputFormat = ""

    @Option(help: "The encoding of the input, by iconv's name: GB18030, BIG5-HKSCS, UTF-16LE …")
    var encoding = "UTF-8"

    @Option(help: "Where the model goes: PREFIX.model and PREFIX.vocab are written.")
    var modelPrefix: String

    @Option(help: "Lines longer than this many bytes are left out.")
    var maxSentenceLength: Int32 = 4192

    @Option(help: "The most sentences to train on, more than 100; 0 for all.")
    var inputSentenceSize: UInt64 = 0

    @Option(help: "Take a random sample of --input-sentence-size sentences, not the first ones.")
    var shuffleInputSentence = SwitchValue(true)

    @Option(help: "Seed of the sample; the same seed gives the same sample.")
    var randomSeed = UInt32.max

    @Option(
        name: .customLong("num-threads"),
        help: "Sums of the unigram trainer are formed in this many parts, as spm_train does with as many threads.")
    var partitions: Int32 = 16

    @Option(help: "Cores to use; the result is the same with any number (default: all).")
    var threads: Int?

    @Flag(help: "Replace an existing model.")
    var force = false

    func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    /// Nil for UTF-8, which is read as it is.
    var foreignEncoding: String? {
        ["utf-8", "utf8"].contains(encoding.lowercased()) ? nil : encoding
    }

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.input = splitList(input)
        specification.inputFormat = inputFormat
        specification.modelPrefix = modelPrefix
        specification.maxSentenceLength = maxSentenceLength
        specification.inputSentenceSize = inputSentenceSize
        specification.shuffleInputSentence = shuffleInputSentence.isOn
        specification.numThreads = partitions
    }

    func checkOutputs() throws {
        let path = modelPrefix + ".model"
        if !force, FileManager.default.fileExists(atPath: path) { throw FileError.alreadyExists(path: path) }
    }
}

struct VocabularyOptions: ParsableArguments {
    enum ModelType: String, ExpressibleByArgument, CaseIterable {
        case unigram, bpe, word, char

        init?(argument: String) {
            self.init(rawValue: argument.lowercased())
        }

        var value: Sentencepiece_TrainerSpec.ModelType {
            switch self {
            case .unigram: .unigram
            case .bpe: .bpe
            case .word: .word
            case .char: .char
            }
        }
    }

    @Option(help: "The kind of model: unigram, bpe, word or char.")
    var modelType = ModelType.unigram

    @Option(help: "Entries in the vocabulary, special pieces included.")
    var vocabSize: Int32 = 8000

    @Option(help: "The share of characters that the alphabet covers, 0.98 to 1.")
    var characterCoverage: Float = 0.9995

    @Option(
        help: "Divide the vocabulary between characters and longer pieces by what saves most (with --byte-fallback).")
    var autoCharacterCoverage = SwitchValue(false)

    @Option(help: "An error if the corpus cannot give that many pieces; otherwise fewer will do.")
    var hardVocabLimit = SwitchValue(true)

    @Option(help: "Keep every character or word, whatever coverage and size (char and word models).")
    var useAllVocab = SwitchValue(false)

    @Option(help: "Write scores to PREFIX.vocab.")
    var vocabularyOutputPieceScore = SwitchValue(true)

    @Option(
        help: ArgumentHelp(
            "A base model that the vocabulary will be merged with; training goes on past --vocab-size until the merge "
                + "reaches --merged-size (bpe).", valueName: "model"))
    var mergeWith: String?

    @Option(help: "Entries that the merge with --merge-with shall have, such as 49953.")
    var mergedSize: Int?

    func validate() throws {
        if (mergeWith == nil) != (mergedSize == nil) {
            throw ValidationError("--merge-with and --merged-size go together")
        }
        if mergeWith != nil, modelType != .bpe { throw ValidationError("--merge-with needs --model-type bpe") }
    }

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.modelType = modelType.value
        specification.vocabSize = vocabSize
        specification.characterCoverage = characterCoverage
        specification.autoCharacterCoverage = autoCharacterCoverage.isOn
        specification.hardVocabLimit = hardVocabLimit.isOn
        specification.useAllVocab = useAllVocab.isOn
        specification.vocabularyOutputPieceScore = vocabularyOutputPieceScore.isOn
    }

    func growth() throws -> TokenizerTrainer.Growth? {
        guard let mergeWith, let mergedSize else { return nil }
        let base = try SentencePieceModel(contentsOf: tokenizerPath(mergeWith))
        return TokenizerTrainer.Growth(base: base, newPieces: max(0, mergedSize - base.pieces.count))
    }
}

/// The flags of the unigram trainer.
struct UnigramFlags: ParsableArguments {
    @Option(help: "How many seed pieces to begin with; 0 for what fits the vocabulary.")
    var seedSentencepieceSize: Int32 = 1_000_000

    @Option(help: "A file of seed pieces instead: piece, tab, frequency.")
    var seedSentencepiecesFile = ""

    @Option(help: "The share of pieces that each round of pruning keeps, 0.5 to 0.95.")
    var shrinkingFactor: Float = 0.75

    @Option(help: "Rounds of estimation between prunings, 1 to 10.")
    var numSubIterations: Int32 = 2

    @Option(help: "Prune by an L1 penalty instead of by loss.")
    var useSparsePruning = SwitchValue(false)

    @Option(name: .customLong("post-l1-debias"), help: "Estimate scores without the penalty after sparse pruning.")
    var postL1Debias = SwitchValue(true)

    @Option(help: "A seed piece's score is its frequency times its length to this power.")
    var seedPieceLengthPower: Float = 1

    @Option(help: "Seed pieces are at least this times N / (K ln K) frequent.")
    var minFreqAlpha: Float = 0

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.seedSentencepieceSize = seedSentencepieceSize
        specification.seedSentencepiecesFile = seedSentencepiecesFile
        specification.shrinkingFactor = shrinkingFactor
        specification.numSubIterations = numSubIterations
    }

    func options(randomSeed: UInt32) -> UnigramOptions {
        var options = UnigramOptions()
        options.randomSeed = randomSeed
        options.usesSparsePruning = useSparsePruning.isOn
        options.removesPenaltyBias = postL1Debias.isOn
        options.seedPieceLengthPower = seedPieceLengthPower
        options.minimumFrequencyAlpha = minFreqAlpha
        return options
    }
}
