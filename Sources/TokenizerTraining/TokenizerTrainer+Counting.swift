import Glibc
import PieceModel
import UnicodeText

/// Models whose pieces are counted, not learned: single characters and whole words.
extension TokenizerTrainer {
    func trainCharacters(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let words = try WordCounts(corpus, preparation: preparation) { sentence, body in
            sentence.withUnsafeBufferPointer(body)
        }
        let alphabet = try Alphabet(
            counts: words.characterCounts(), specification: specification, paths: specification.input)
        let total = alphabet.characters.reduce(0) { $0 + $1.count }
        if total == 0 { throw TrainingError.noCharacters(paths: specification.input) }
        let pieces = try mostFrequent(alphabet.characters, special).map { character in
            var text: [UInt8] = []
            UTF8Scalars.append(character.scalar, to: &text)
            return LearnedPiece(text: text, score: logarithmOfShare(character.count, of: total))
        }
        return try assemble(pieces, special: special)
    }

    func trainWords(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let words = try WordCounts(corpus, preparation: preparation, cut: forEachSpacedWord)
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

/// Cuts before each ▁.
@Sendable
private func forEachSpacedWord(of sentence: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    sentence.withUnsafeBufferPointer { text in
        var start = 0
        var index = 0
        while index < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: index)
            if scalar == PieceRules.space, index > start {
                body(UnsafeBufferPointer(rebasing: text[start..<index]))
                start = index
            }
            index += length
        }
        if start < text.count { body(UnsafeBufferPointer(rebasing: text[start...])) }
    }
}
