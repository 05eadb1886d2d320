import PieceModel
import UnicodeText

/// The characters that every vocabulary of the corpus holds: the most frequent ones, as many as the coverage asks for.
struct Alphabet: Sendable {
    /// Most frequent first; equal ones by code point; characters that were asked for before all others.
    ///
    /// With `auto_character_coverage` all characters of the corpus: training chooses among them.
    let characters: [(scalar: UInt32, count: Int64)]
    /// Whether the vocabulary must hold all of them.
    let isFixed: Bool

    /// - Throws: `TrainingError`.
    init(
        counts: CharacterCounts, specification: Sentencepiece_TrainerSpec, paths: [String]
    ) throws(TrainingError) {
        isFixed = !specification.autoCharacterCoverage
        if !isFixed {
            characters = counts.all.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
            return
        }
        let total = counts.all.reduce(0) { $0 + $1.count }
        if total == 0 { throw .noCharacters(paths: paths) }
        let required = Set(specification.requiredChars.unicodeScalars.map(\.value)).subtracting([0])
        let missing = required.subtracting(counts.all.map(\.scalar)).map { ($0, Int64(0)) }
        let ordered = (counts.all + missing).sorted { left, right in
            let isLeftRequired = required.contains(left.0)
            if isLeftRequired != required.contains(right.0) { return isLeftRequired }
            return left.1 != right.1 ? left.1 > right.1 : left.0 < right.0
        }
        var chosen: [(UInt32, Int64)] = []
        var covered: Int64 = 0
        for (scalar, count) in ordered {
            // Single precision, as sentencepiece compares it.
            let coverage = Float(Double(covered) / Double(total))
            if !specification.useAllVocab, coverage >= specification.characterCoverage { break }
            covered += count
            if scalar == PieceRules.unknown { throw .reservedCharacter(paths: paths) }
            if scalar != PieceRules.boundary { chosen.append((scalar, count)) }
        }
        // The order of the vocabulary: by count alone, whether asked for or not.
        characters = chosen.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
    }

    init(
        of sentences: TrainingSentences, specification: Sentencepiece_TrainerSpec, threads: Int
    ) throws {
        let counts = try CharacterCounts(of: sentences, threads: threads)
        try self.init(counts: counts, specification: specification, paths: specification.input)
    }
}
