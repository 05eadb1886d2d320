import PieceModel
import UnicodeText

/// The characters that every vocabulary of the corpus holds: the most frequent ones, as many as the coverage asks for.
struct Alphabet: Sendable {
    /// Most frequent first; equal ones by code point; characters that were asked for before all others.
    let characters: [(scalar: UInt32, count: Int64)]

    init(of words: WordCounts, specification: Sentencepiece_TrainerSpec, paths: [String]) throws(TrainingError) {
        var counts = countCharacters(of: words)
        let total = counts.values.reduce(0, +)
        if total == 0 { throw .noCharacters(paths: paths) }
        let required = Set(specification.requiredChars.unicodeScalars.map(\.value)).subtracting([0])
        for scalar in required { counts[scalar, default: 0] += 0 }
        let ordered = counts.sorted { left, right in
            let isLeftRequired = required.contains(left.key)
            if isLeftRequired != required.contains(right.key) { return isLeftRequired }
            return left.value != right.value ? left.value > right.value : left.key < right.key
        }
        var chosen: [(UInt32, Int64)] = []
        var covered: Int64 = 0
        for (scalar, count) in ordered {
            // Single precision, as sentencepiece compares it.
            let coverage = Float(Double(covered) / Double(total))
            if !specification.useAllVocab, coverage >= specification.characterCoverage { break }
            covered += count
            if scalar != PieceRules.boundary { chosen.append((scalar, count)) }
        }
        // The order of the vocabulary: by count alone, whether asked for or not.
        characters = chosen.sorted { $0.1 != $1.1 ? $0.1 > $1.1 : $0.0 < $1.0 }
    }
}

private func countCharacters(of words: WordCounts) -> [UInt32: Int64] {
    var basic = [Int64](repeating: 0, count: 0x10000)
    var other: [UInt32: Int64] = [:]
    words.words.bytes.withUnsafeBufferPointer { bytes in
        for index in 0..<words.words.count {
            let count = words.counts[index]
            let text = UnsafeBufferPointer(rebasing: bytes[words.words.range(of: index)])
            var position = 0
            while position < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: position)
                if scalar < 0x10000 { basic[Int(scalar)] += count } else { other[scalar, default: 0] += count }
                position += length
            }
        }
    }
    for (scalar, count) in basic.enumerated() where count > 0 && scalar > 0 { other[UInt32(scalar)] = count }
    return other
}
