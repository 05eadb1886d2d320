/// Which piece two neighbouring symbols make, and which characters stand side by side inside a piece.
struct MergeTable: Sendable {
    /// Pairs of characters that stand side by side in a piece, and pairs of symbols that make one: most questions have
    /// the answer no, and the filters are small enough to stay in the caches near the core.
    private let characterFilter: PairFilter
    private let mergeFilter: PairFilter
    /// For pairs of symbols the rank by score in the upper half, the piece that they make in the lower; `none` for
    /// characters that stand side by side in a piece and make none.
    private let merges: SymbolPairTable<UInt64>

    /// No piece; it is above all merges.
    static let none = UInt64.max
    /// The upper half of `none`.
    static let noRank = none >> 32

    /// - Parameter ranks: for each id the place of its score, best first.
    init(_ pieces: SegmentablePieces, _ characters: CharacterNumbers, ranks: [UInt32]) {
        var merges = SymbolPairTable(placeholder: Self.none)
        characterFilter = characters.pairFilter(pieces) { left, right in merges.insert(left, right).isNew }
        pieces.vocabulary.withTexts { texts in
            var finder = MergeFinder(pieces, texts: texts, characters: characters)
            pieces.forEach { id, bytes in
                let merge = UInt64(ranks[Int(id)]) << 32 | UInt64(UInt32(bitPattern: id))
                finder.forEachCut(of: bytes) { merges[$0, $1] = merge }
            }
        }
        mergeFilter = PairFilter(merges.hashes { $0 != Self.none }, bitsPerPair: 8)
        self.merges = merges
    }

    /// The table's memory, for loops.
    struct View {
        fileprivate let characterFilter: PairFilter.View
        fileprivate let mergeFilter: PairFilter.View
        fileprivate let merges: SymbolPairTable<UInt64>.View

        /// The merge of two characters, or nil if no piece holds them side by side.
        @inline(__always)
        func mergeOfCharacters(_ left: Int32, _ right: Int32) -> UInt64? {
            let hash = PairFilter.hash(left, right)
            return characterFilter.mayHold(hash) ? merges.find(left, right, hash) : nil
        }

        @inline(__always)
        func merge(_ left: Int32, _ right: Int32) -> UInt64 {
            let hash = PairFilter.hash(left, right)
            return mergeFilter.mayHold(hash) ? merges.find(left, right, hash) ?? MergeTable.none : MergeTable.none
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        characterFilter.withView { characterFilter in
            mergeFilter.withView { mergeFilter in
                merges.withView { merges in
                    body(View(characterFilter: characterFilter, mergeFilter: mergeFilter, merges: merges))
                }
            }
        }
    }
}

/// For each id the place of its score, best first; equal scores share one.
///
/// Bit patterns are compared as sentencepiece 0.2.3 does it: +0 is better than -0.
func scoreRanks(_ scores: [Float]) -> [UInt32] {
    // Ascending scores become ascending unsigned numbers; below them the id, so that each finds its rank's place.
    var order = scores.enumerated().map { id, score in
        let bits = score.bitPattern
        return UInt64(bits >> 31 == 1 ? ~bits : bits | 1 << 31) << 32 | UInt64(id)
    }
    order.sort(by: >)
    var ranks = [UInt32](repeating: 0, count: scores.count)
    var rank: UInt32 = 0
    for (place, entry) in order.enumerated() {
        if place > 0, order[place - 1] >> 32 != entry >> 32 { rank += 1 }
        ranks[Int(entry & 0xFFFF_FFFF)] = rank
    }
    return ranks
}
