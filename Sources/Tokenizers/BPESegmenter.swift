import PieceModel

/// Segmentation by merging the adjacent pair whose piece scores best, leftmost first among equals, until none is left.
///
/// A symbol is a number: a piece's id, or beyond the ids a character that is no piece but part of some; -1 a character
/// that no piece holds; -2 - id a user-defined piece found in the text, which merges with nothing.
///
/// Where no piece holds two neighbouring characters side by side no merge can reach across: the text falls apart into
/// segments, most of one to four characters in Chinese, that are merged one by one. The order of merges in different
/// segments changes nothing.
struct BPESegmenter: Sendable {
    let table: MergeTable
    let characters: CharacterNumbers
    let userDefined: DoubleArrayTrie?
    let pieceCount: Int
    let unknownID: Int32
    /// For each id whether it is an unused piece; empty if there are none.
    let isUnused: [Bool]

    /// - Throws: `PieceModelError.tooLarge` for more pieces than can be numbered here, about a million.
    init(_ vocabulary: Vocabulary, path: String) throws(PieceModelError) {
        let pieces = SegmentablePieces(vocabulary: vocabulary)
        characters = CharacterNumbers(pieces)
        table = try MergeTable(pieces, characters, path: path)
        userDefined = vocabulary.userDefinedTrie()
        pieceCount = vocabulary.count
        unknownID = vocabulary.unknownID?.rawValue ?? -1
        isUnused = vocabulary.types.contains(.unused) ? vocabulary.types.map { $0 == .unused } : []
    }

    /// Finds the pieces of the scratch's text.
    func segment(_ scratch: EncodingScratch) {
        characters.split(scratch, userDefined: userDefined)
        if isUnused.isEmpty {
            segmentApart(scratch)
        } else {
            segmentAsWhole(scratch)
        }
    }

    private func segmentApart(_ scratch: EncodingScratch) {
        let count = scratch.symbols.count
        scratch.merges.reserve(count)
        let (symbols, starts) = (scratch.symbols.base, scratch.starts.base)
        let merges = scratch.merges.base
        var output = PieceOutput(scratch, count: count, pieceCount: pieceCount, unknownID: unknownID)
        table.withView { view in
            let segments = SegmentMerger(view: view, symbols: symbols, starts: starts, merges: merges)
            var first = 0
            var index = 1
            while index <= count {
                if index < count, segments.noteMerge(leftOf: index) {
                    index += 1
                    continue
                }
                // `first..<index` is a segment; starts[count] is the text's end.
                let end = starts[index]
                if index - first == 1 {
                    output.append(symbols[first], end: end)
                } else if index - first == 2, merges[first] != MergeTable.none {
                    output.append(Int32(truncatingIfNeeded: merges[first]), end: end)
                } else {
                    let left = segments.merge(first, count: index - first)
                    for symbol in first..<first + left - 1 { output.append(symbols[symbol], end: starts[symbol + 1]) }
                    output.append(symbols[first + left - 1], end: end)
                }
                first = index
                index += 1
            }
        }
        output.commit(to: scratch)
    }
}

/// Writes pieces into a scratch that has room for as many as there are characters.
struct PieceOutput {
    private let ids: UnsafeMutablePointer<Int32>
    private let ends: UnsafeMutablePointer<Int32>
    private var count = 0
    private var hasUnknown = false
    private let pieceCount: UInt32
    private let unknownID: Int32

    /// - Parameter count: how many pieces there can be at most.
    init(_ scratch: EncodingScratch, count: Int, pieceCount: Int, unknownID: Int32) {
        scratch.ids.reserve(count)
        scratch.ends.reserve(count)
        ids = scratch.ids.base
        ends = scratch.ends.base
        self.pieceCount = UInt32(pieceCount)
        self.unknownID = unknownID
    }

    /// Adds a symbol as the piece that it is, or as unknown.
    @inline(__always)
    mutating func append(_ symbol: Int32, end: Int32) {
        ids[count] = symbol
        if UInt32(bitPattern: symbol) >= pieceCount { resolve(symbol) }
        ends[count] = end
        count += 1
    }

    /// A user-defined piece has a number below -1; other numbers that are no ids are characters without a piece.
    private mutating func resolve(_ symbol: Int32) {
        ids[count] = symbol <= -2 ? -2 - symbol : unknownID
        if symbol > -2 { hasUnknown = true }
    }

    func commit(to scratch: EncodingScratch) {
        scratch.ids.count = count
        scratch.ends.count = count
        scratch.hasUnknown = hasUnknown
    }
}
