/// A part of the words, with all pieces that begin at each of their characters: the lattices, laid out once.
///
/// sentencepiece's sums depend on how words are dealt out to its threads; a shard is what one of them would get. Since the
/// text does not change while pieces only vanish, pieces are looked up once and their lists shortened in place.
final class LatticeShard: @unchecked Sendable {
    /// In characters.
    private(set) var wordLengths: [Int32] = []
    /// In single precision, as sentencepiece multiplies them.
    private(set) var frequencies: [Float] = []
    /// How many pieces begin at each character of the words.
    private(set) var matchCounts: [UInt16] = []
    /// These pieces, the shortest first.
    private(set) var matches: [Int32] = []
    private(set) var longestWord = 0

    /// - Parameter symbols: where the words' places are.
    init(_ words: [TrainingWords.Word], in symbols: UnsafePointer<Int32>?, trie: SymbolTrie) {
        guard let symbols else { return }
        wordLengths = words.map(\.length)
        frequencies = words.map { Float($0.frequency) }
        longestWord = Int(wordLengths.max() ?? 0)
        let length = wordLengths.reduce(0) { $0 + Int($1) }
        // Local, since each access to a property of a class is checked.
        var counts: [UInt16] = []
        var found: [Int32] = []
        counts.reserveCapacity(length)
        found.reserveCapacity(length * 2)
        for word in words {
            let end = Int(word.start) + Int(word.length)
            for start in Int(word.start)..<end {
                let before = found.count
                let rest = UnsafeBufferPointer(start: symbols + start, count: end - start)
                trie.forEachPrefix(of: rest) { found.append($0) }
                counts.append(UInt16(truncatingIfNeeded: found.count - before))
            }
        }
        matchCounts = counts
        matches = found
    }

    /// Renumbers the pieces; those whose new number is negative are left out.
    func renumber(_ numbers: [Int32]) {
        var kept = 0
        numbers.withUnsafeBufferPointer { numbers in
            matchCounts.withUnsafeMutableBufferPointer { counts in
                matches.withUnsafeMutableBufferPointer { matches in
                    var next = 0
                    for position in counts.indices {
                        let before = kept
                        for index in next..<next + Int(counts[position]) {
                            let number = numbers[Int(matches[index])]
                            if number >= 0 {
                                matches[kept] = number
                                kept += 1
                            }
                        }
                        next += Int(counts[position])
                        counts[position] = UInt16(truncatingIfNeeded: kept - before)
                    }
                }
            }
        }
        matches.removeLast(matches.count - kept)
        if matches.capacity > 2 * kept + 4096 { matches = Array(matches) }
    }
}

/// What the lattices need to know of a piece.
struct LatticePiece: BitwiseCopyable {
    var score: Float
    /// In characters.
    var length: Int32
}

/// The pieces as they stand at one step of the training.
final class LatticeModel: @unchecked Sendable {
    let pieces: SharedBuffer<LatticePiece>
    let minimumScore: Float
    /// Of the node for a character that is no piece; it counts as piece 0, as in sentencepiece's training.
    let unknownScore: Float
    /// In characters; at least one.
    let longestPiece: Int

    init(_ pieces: ScoredPieces) {
        let buffer = SharedBuffer<LatticePiece>(count: pieces.count)
        var minimum = Float.greatestFiniteMagnitude
        var longest: Int32 = 1
        for piece in 0..<pieces.count {
            buffer[piece] = LatticePiece(score: pieces.scores[piece], length: Int32(pieces.range(of: piece).count))
            minimum = min(minimum, pieces.scores[piece])
            longest = max(longest, buffer[piece].length)
        }
        self.pieces = buffer
        minimumScore = minimum
        longestPiece = Int(longest)
        unknownScore = minimum - 10
    }

    var count: Int { pieces.count }
}
