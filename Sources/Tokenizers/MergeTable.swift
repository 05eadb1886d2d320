import PieceModel

/// Which piece two neighbouring symbols make, and which characters stand side by side inside a piece.
///
/// Pairs of characters, which every text asks about, and other pairs have a table each. A filter answers most questions
/// about characters, and two bits for each symbol most of the others, from the first-level cache.
struct MergeTable: Sendable {
    /// Characters that stand side by side in a piece, with the piece that the two make or -1.
    private let ofCharacters: PackedPairTable
    private let filter: PairFilter
    /// The piece that two other symbols make.
    private let ofSymbols: PackedPairTable
    /// For each id whether the piece is the left or the right part of another in that table.
    private let leftParts: BitTable
    private let rightParts: BitTable
    /// For each id the place of its score, best first.
    private let ranks: [UInt32]

    /// No piece; it is above all merges, which have the rank in the upper half and the new symbol in the lower.
    static let none = UInt64.max
    /// The upper half of `none`.
    static let noRank = none >> 32

    /// - Throws: `PieceModelError.tooLarge` for more pieces and characters than the tables can number.
    init(_ pieces: SegmentablePieces, _ characters: CharacterNumbers, path: String) throws(PieceModelError) {
        let count = pieces.vocabulary.count + characters.extraCount
        guard count <= PackedPairTable.limit else { throw .tooLarge(path: path, limit: PackedPairTable.limit) }
        var ofCharacters = PackedPairTable()
        var ofSymbols = PackedPairTable(minimumCapacity: pieces.vocabulary.count)
        var leftParts = BitTable(count: count)
        var rightParts = BitTable(count: count)
        filter = characters.pairFilter(pieces, hash: PackedPairTable.hash) { left, right in
            ofCharacters.insert(left, right, -1)
        }
        pieces.vocabulary.withTexts { texts in
            var finder = MergeFinder(pieces, texts: texts, characters: characters)
            pieces.forEach { id, bytes in
                let isPair = characters.isPair(bytes)
                finder.forEachCut(of: bytes) { left, right in
                    if isPair {
                        ofCharacters.insert(left, right, id)
                    } else {
                        ofSymbols.insert(left, right, id)
                        leftParts.insert(Int(left))
                        rightParts.insert(Int(right))
                    }
                }
            }
        }
        (self.ofCharacters, self.ofSymbols) = (ofCharacters, ofSymbols)
        (self.leftParts, self.rightParts) = (leftParts, rightParts)
        ranks = scoreRanks(pieces.vocabulary.scores)
    }

    /// The table's memory, for loops.
    struct View {
        fileprivate let ofCharacters: PackedPairTable.View
        fileprivate let filter: PairFilter.View
        fileprivate let ofSymbols: PackedPairTable.View
        fileprivate let leftParts: BitTable.View
        fileprivate let rightParts: BitTable.View
        fileprivate let ranks: UnsafeBufferPointer<UInt32>

        /// One if a piece may hold two characters side by side; zero if none does.
        @inline(__always)
        func mayJoin(_ left: Int32, _ right: Int32) -> UInt64 {
            filter.bit(PackedPairTable.hash(left, right))
        }

        /// The piece that two characters make, -1 if they only stand side by side in some, nil if not even that.
        @inline(__always)
        func pieceOfCharacters(_ left: Int32, _ right: Int32) -> Int32? {
            ofCharacters.find(left, right)
        }

        /// The merge of two characters.
        func ofCharacters(_ left: Int32, _ right: Int32) -> UInt64 {
            merge(ofCharacters.find(left, right) ?? -1)
        }

        /// The merge of a piece of several characters with the symbol to its right.
        @inline(__always)
        func of(piece left: Int32, with right: Int32) -> UInt64 {
            leftParts.contains(left) ? ofSymbols.find(left, right).map(merge) ?? MergeTable.none : MergeTable.none
        }

        /// The merge of a piece of several characters with the symbol to its left.
        @inline(__always)
        func of(_ left: Int32, withPiece right: Int32) -> UInt64 {
            rightParts.contains(right) ? ofSymbols.find(left, right).map(merge) ?? MergeTable.none : MergeTable.none
        }

        /// A piece's place by score, best first.
        @inline(__always)
        func rank(_ id: Int32) -> UInt32 { ranks[Int(id)] }

        /// The merge that makes a piece; none if there is none.
        @inline(__always)
        func merge(_ id: Int32) -> UInt64 {
            id < 0 ? MergeTable.none : UInt64(ranks[Int(id)]) &<< 32 | UInt64(UInt32(bitPattern: id))
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        ofCharacters.withView { ofCharacters in
            filter.withView { filter in
                ofSymbols.withView { ofSymbols in
                    leftParts.withView { leftParts in
                        rightParts.withView { rightParts in
                            ranks.withUnsafeBufferPointer { ranks in
                                body(
                                    View(
                                        ofCharacters: ofCharacters, filter: filter, ofSymbols: ofSymbols,
                                        leftParts: leftParts, rightParts: rightParts, ranks: ranks))
                            }
                        }
                    }
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
