public import Partitioning
public import PieceModel
import Tokenizers
import UnicodeText

/// Trains a SentencePiece vocabulary from text files: the pieces, scores and types that spm_train 0.2.3 gives.
public struct TokenizerTrainer: Sendable {
    /// What spm_train's flags set; `input` holds the files.
    public var specification: Sentencepiece_TrainerSpec
    public var normalizerSpecification: Sentencepiece_NormalizerSpec
    /// What decoding ends with; nil for nothing.
    public var denormalizerSpecification: Sentencepiece_NormalizerSpec?
    public var threads: Int
    public var progress: ProgressHandler?
    /// What the flags of the unigram trainer set that have no place in the model file.
    public var unigram = UnigramOptions()
    /// What the input files are encoded in, by iconv's name; nil for UTF-8.
    public var encoding: String?
    /// If given, training goes past `vocab_size` until this vocabulary holds so many pieces that the base lacks.
    public var growth: Growth?

    /// If given, this vocabulary is gone on from.
    public var continuation: Continuation?

    /// How many new pieces a vocabulary must bring to a base that it will be merged with.
    public struct Growth: Sendable {
        public var base: SentencePieceModel
        public var newPieces: Int

        public init(base: SentencePieceModel, newPieces: Int) {
            self.base = base
            self.newPieces = newPieces
        }
    }

    public init(
        specification: Sentencepiece_TrainerSpec, normalizerSpecification: Sentencepiece_NormalizerSpec,
        threads: Int = availableProcessors
    ) {
        self.specification = specification
        self.normalizerSpecification = normalizerSpecification
        self.threads = threads
    }

    /// Runs the training: reads the text, chooses the alphabet, learns the pieces, assembles the model.
    ///
    /// - Throws: `TrainingError`, `FileError`, `PieceModelError`.
    public func train() throws -> SentencePieceModel {
        try validateSpecification()
        if let continuation { return try trainContinuation(continuation) }
        let special = try SpecialPieces(specification)
        let normalizer = try Normalizer(
            specification: normalizerSpecification,
            treatsWhitespaceAsSuffix: specification.treatWhitespaceAsSuffix, path: "normalization rules")
        let corpus = TrainingCorpus(
            specification: specification, seed: unigram.randomSeed, encoding: encoding, threads: threads,
            progress: progress)
        let preparation = SentencePreparation(
            specification: specification, normalizer: normalizer, special: special)
        switch specification.modelType {
        case .char: return try trainCharacters(corpus, preparation, special)
        case .word: return try trainWords(corpus, preparation, special)
        case .bpe: return try trainBPE(corpus, preparation, special)
        case .unigram: return try trainUnigram(corpus, preparation, special)
        }
    }

    private func trainBPE(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let words = try countWords(corpus, preparation, special)
        let alphabet = try Alphabet(
            counts: words.characterCounts(), specification: specification, paths: specification.input)
        let merges = try learnMerges(words: consume words, alphabet: alphabet, special: special)
        if !alphabet.isFixed {
            let search = CoverageSearch(
                merges: merges, characters: alphabet.characters, budget: Int(specification.vocabSize) - special.count)
            return try assemble(numbered(search.pieces()), special: special)
        }
        let characters = alphabet.characters.map { UTF8Scalars.bytes(of: $0.scalar) }
        return try assemble(numbered(merges.map(\.piece) + characters), special: special)
    }

    private func learnMerges(
        words: consuming WordCounts, alphabet: Alphabet, special: SpecialPieces
    ) throws -> [(piece: [UInt8], frequency: Int64)] {
        let size = Int(specification.vocabSize)
        // Beside characters to be chosen there must be room for one piece.
        let needed = special.count + (alphabet.isFixed ? alphabet.characters.count : 1)
        if needed > size { throw TrainingError.alphabetTooLarge(vocabularySize: size, needed: needed) }
        var goal = MergeGoal(
            merges: alphabet.isFixed ? size - needed : size - special.count, growth: growth, alphabet: alphabet)
        var trainer = try BPETrainer(
            words: consume words, alphabet: alphabet, rules: PieceRules(specification), merges: goal.estimatedMerges,
            threads: threads)
        var merges: [(piece: [UInt8], frequency: Int64)] = []
        while !goal.isReached {
            guard let merge = try trainer.nextMerge() else { break }
            merges.append(merge)
            goal.count(merge.piece)
            if merges.count % 100 == 0 {
                progress?(
                    ProgressUpdate(stage: "learning merges", completed: merges.count, total: goal.estimatedMerges))
            }
        }
        progress?(ProgressUpdate(stage: "learning merges", completed: merges.count, total: merges.count))
        if goal.missingNew > 0 {
            throw TrainingError.tooFewNewPieces(
                wanted: growth?.newPieces ?? 0, possible: (growth?.newPieces ?? 0) - goal.missingNew)
        }
        return merges
    }
}

/// When enough merges are learned.
private struct MergeGoal {
    private var missingMerges: Int
    /// New pieces that are still wanted, beyond the base.
    private(set) var missingNew = 0
    private let base: Vocabulary?
    private var done = 0

    init(merges: Int, growth: TokenizerTrainer.Growth?, alphabet: Alphabet) {
        missingMerges = merges
        base = growth.map { Vocabulary($0.base) }
        guard let base, let growth else { return }
        let newCharacters = alphabet.characters.count { character in
            Unicode.Scalar(character.scalar).map { base.id(of: String($0)) == nil } ?? false
        }
        missingNew = max(0, growth.newPieces - newCharacters)
    }

    var isReached: Bool { missingMerges <= 0 && missingNew <= 0 }

    /// How many merges there will be at least.
    var estimatedMerges: Int { done + max(missingMerges, missingNew) }

    mutating func count(_ piece: [UInt8]) {
        done += 1
        missingMerges -= 1
        if missingNew > 0, let base, base.id(of: piece) == nil { missingNew -= 1 }
    }
}
