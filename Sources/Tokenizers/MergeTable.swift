/// Which piece two neighbouring symbols make, and which characters stand side by side inside a piece.
struct MergeTable: Sendable {
    private let filter: PairFilter
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
        filter = characters.pairFilter(pieces) { left, right in merges.insert(left, right).isNew }
        pieces.vocabulary.withTexts { texts in
            var finder = MergeFinder(pieces, texts: texts, characters: characters)
            pieces.forEach { id, bytes in
                let merge = UInt64(ranks[Int(id)]) << 32 | UInt64(UInt32(bitPattern: id))
                finder.forEachCut(of: bytes) { merges[$0, $1] = merge }
            }
        }
        self.merges = merges
    }

    /// The table's memory, for loops.
    struct View {
        fileprivate let filter: PairFilter.View
        fileprivate let merges: SymbolPairTable<UInt64>.View

        /// The merge of two characters, or nil if no piece holds them side by side.
        @inline(__always)
        func mergeOfCharacters(_ left: Int32, _ right: Int32) -> UInt64? {
            let hash = PairFilter.hash(left, right)
            return filter.mayHold(hash) ? merges.find(left, right, hash) : nil
        }

        @inline(__always)
        func merge(_ left: Int32, _ right: Int32) -> UInt64 {
            merges.find(left, right) ?? MergeTable.none
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        filter.withView { filter in merges.withView { body(View(filter: filter, merges: $0)) } }
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
