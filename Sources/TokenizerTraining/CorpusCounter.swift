public import Partitioning
public import PieceModel
import Tokenizers

/// Counts the words of texts as training would, so that shards can be counted apart, added up, and trained on with the
/// result that the texts themselves give.
public struct CorpusCounter: Sendable {
    private let specification: Sentencepiece_TrainerSpec
    private let format: CountsFormat
    private let preparation: SentencePreparation
    public var encoding: String?
    public var threads: Int
    public var progress: ProgressHandler?

    /// - Throws: `TrainingError`, `PieceModelError`.
    public init(
        specification: Sentencepiece_TrainerSpec, normalizerSpecification: Sentencepiece_NormalizerSpec,
        threads: Int = availableProcessors
    ) throws {
        if specification.modelType == .unigram {
            throw TrainingError.badSpecification(
                flag: "model-type", reason: "unigram models are trained on sentences, not on counts of words")
        }
        let special = try SpecialPieces(specification)
        let normalizer = try Normalizer(
            specification: normalizerSpecification, treatsWhitespaceAsSuffix: specification.treatWhitespaceAsSuffix,
            path: "normalization rules")
        self.specification = specification
        self.threads = threads
        format = CountsFormat(specification, normalizerSpecification, special)
        preparation = SentencePreparation(specification: specification, normalizer: normalizer, special: special)
    }

    /// Counts the words of the specification's input files; the file `-` is standard input.
    ///
    /// - Throws: `TrainingError`, `FileError`.
    public func count() throws -> CountedWords {
        let cutter = WordCutter(specification)
        let corpus = TrainingCorpus(
            specification: specification, encoding: encoding, threads: threads, progress: progress)
        let words = try WordCounts(corpus, preparation: preparation) { cutter.forEachWord(of: $0, $1) }
        return CountedWords(words: words, format: format)
    }
}

/// Counts of words, ready to be written.
public struct CountedWords: Sendable {
    let words: WordCounts
    let format: CountsFormat

    init(words: WordCounts, format: CountsFormat) {
        self.words = words
        self.format = format
    }

    /// Adds up tables of counts; the file `-` is standard input, where they may follow one another.
    ///
    /// - Throws: `TrainingError` if they were made with different flags, `FileError`.
    public init(
        merging paths: [String], threads: Int = availableProcessors, progress: ProgressHandler? = nil
    ) throws {
        let parts = LineParts(files: paths, threads: threads, progress: progress)
        (words, format) = try WordCounts.adding(countsIn: parts, expecting: nil)
    }

    /// Of the text that was counted: sentences used, and lines left out for their length.
    public var sentences: Int { words.tally.sentences }
    public var skippedLong: Int { words.tally.tooLong }
    /// Distinct words.
    public var count: Int { words.counts.count }

    /// Hands on the table's bytes, lines in the order of the words' bytes.
    public func write(_ sink: ([UInt8]) throws -> Void) throws {
        try sink(format.firstLine)
        let order = words.counts.indices.sorted {
            words.words[$0].lexicographicallyPrecedes(words.words[$1])
        }
        var buffer: [UInt8] = []
        for index in order {
            buffer += CountsFormat.line(words.words[index], words.counts[index])
            if buffer.count >= 1 << 16 {
                try sink(buffer)
                buffer.removeAll(keepingCapacity: true)
            }
        }
        try sink(buffer)
    }
}
