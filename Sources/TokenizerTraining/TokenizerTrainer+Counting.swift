import Glibc
import PieceModel
import UnicodeText

/// Models whose pieces are counted, not learned: single characters and whole words.
extension TokenizerTrainer {
    /// The words of the text, or of tables of counts that `kuoci count` made of it.
    func countWords(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> WordCounts {
        guard specification.inputFormat == "tsv", let first = specification.input.first,
            try CountsFormat.describes(first)
        else {
            let cutter = WordCutter(specification)
            return try WordCounts(corpus, preparation: preparation) { cutter.forEachWord(of: $0, $1) }
        }
        for path in specification.input where try !CountsFormat.describes(path) {
            throw TrainingError.malformedLine(path: path, line: 1, reason: "does not begin a table of counts")
        }
        let format = CountsFormat(specification, normalizerSpecification, special)
        let parts = LineParts(files: specification.input, threads: threads, progress: progress)
        let (words, _) = try WordCounts.adding(countsIn: parts, expecting: format)
        if words.counts.isEmpty {
            throw TrainingError.noSentences(paths: specification.input, skippedLong: 0, limit: 0)
        }
        return words
    }

    func trainCharacters(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let words = try countWords(corpus, preparation, special)
        let alphabet = try Alphabet(
            counts: words.characterCounts(), specification: specification, paths: specification.input)
        let total = alphabet.characters.reduce(0) { $0 + $1.count }
        if total == 0 { throw TrainingError.noCharacters(paths: specification.input) }
        let pieces = try mostFrequent(alphabet.characters, special).map { character in
            LearnedPiece(
                text: UTF8Scalars.bytes(of: character.scalar), score: logarithmOfShare(character.count, of: total))
        }
        return try assemble(pieces, special: special)
    }

    func trainWords(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let words = try countWords(corpus, preparation, special)
        let alphabet = try Alphabet(
            counts: words.characterCounts(), specification: specification, paths: specification.input)
        let known = Set(alphabet.characters.map(\.scalar))
        let total = words.counts.reduce(0, +)
        let usable = words.counts.indices.filter { index in
            Array(words.words[index]).withUnsafeBufferPointer { text in
                var position = 0
                while position < text.count {
                    let (scalar, length) = UTF8Scalars.decode(text, at: position)
                    if !known.contains(scalar) { return false }
                    position += length
                }
                return true
            }
        }
        let ordered = usable.sorted { left, right in
            words.counts[left] != words.counts[right]
                ? words.counts[left] > words.counts[right]
                : words.words[left].lexicographicallyPrecedes(words.words[right])
        }
        let pieces = try mostFrequent(ordered, special).map { index in
            LearnedPiece(
                text: Array(words.words[index]), score: logarithmOfShare(words.counts[index], of: total))
        }
        return try assemble(pieces, special: special)
    }

    /// As many of the pieces, which are in order, as the vocabulary has room for.
    private func mostFrequent<T>(_ pieces: [T], _ special: SpecialPieces) throws(TrainingError) -> ArraySlice<T> {
        let room = Int(specification.vocabSize) - special.count
        if room < 0 { throw .alphabetTooLarge(vocabularySize: Int(specification.vocabSize), needed: special.count) }
        return specification.useAllVocab ? pieces[...] : pieces.prefix(room)
    }
}

/// In single precision throughout, as sentencepiece computes it.
private func logarithmOfShare(_ count: Int64, of total: Int64) -> Float {
    logf(Float(count)) - logf(Float(total))
}
