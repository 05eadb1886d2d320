import Partitioning
import PieceModel

/// The lines that training takes: all of the files, or the sample that is asked for.
struct TrainingCorpus {
    private let parts: LineParts
    private let specification: Sentencepiece_TrainerSpec
    private let seed: UInt32

    init(
        specification: Sentencepiece_TrainerSpec, seed: UInt32 = .max, encoding: String? = nil, threads: Int,
        progress: ProgressHandler?
    ) {
        parts = LineParts(files: specification.input, encoding: encoding, threads: threads, progress: progress)
        self.specification = specification
        self.seed = seed
    }

    /// Calls `body` with each part of the text, several at once, and `take` with what it makes of it, in order.
    ///
    /// - Returns: what all lines were good for.
    /// - Throws: `TrainingError.noSentences` if none can be used.
    func map<T: Sendable>(
        _ preparation: SentencePreparation, _ body: @Sendable (LineParts.Part) throws -> (T, LineTally),
        take: (T) throws -> Void
    ) throws -> LineTally {
        var tally = LineTally()
        try requireLines()
        if specification.inputSentenceSize == 0 {
            try parts.map(body) { result in
                try take(result.0)
                tally += result.1
            }
        } else {
            let sample = try SentenceSample(
                of: parts, preparation: preparation, specification: specification, seed: seed)
            try sample.text.withUnsafeBufferPointer { text in
                try parts.mapWindow(text, path: "the sample", linesBefore: 0, body) { try take($0.0) }
            }
            tally = sample.tally
        }
        if tally.sentences == 0 {
            throw TrainingError.noSentences(
                paths: specification.input, skippedLong: tally.tooLong, limit: Int(specification.maxSentenceLength))
        }
        try tally.checkWeight(specification.input)
        return tally
    }

    /// With tabs, sentencepiece takes an empty file that others follow for a line without any.
    private func requireLines() throws {
        guard specification.inputFormat == "tsv" else { return }
        for path in specification.input.dropLast() where try parts.isEmptyFile(path) {
            throw TrainingError.malformedLine(path: path, line: 1, reason: "is not: word, tab, frequency")
        }
    }
}
