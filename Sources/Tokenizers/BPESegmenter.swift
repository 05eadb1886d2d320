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
        segmentSymbols(scratch)
    }

    /// Finds the pieces of a text that is split into characters already.
    func segmentSymbols(_ scratch: EncodingScratch) {
        if isUnused.isEmpty {
            segmentApart(scratch)
        } else {
            segmentAsWhole(scratch)
        }
    }

    private func segmentApart(_ scratch: EncodingScratch) {
        let count = scratch.symbols.count
        table.withView { view in
            var output = PieceOutput(scratch, count: count, pieceCount: pieceCount, unknownID: unknownID)
            let segments = SegmentMerger(view, scratch)
            segments.findJoints(count: count)
            var first = 0
            for word in 0...count / 64 {
                // A symbol that is not joined to the one before begins a segment, and so does the text's end.
                var begins = ~segments.joints[word]
                if word == 0 { begins &= ~1 }
                while begins != 0 {
                    let end = word &* 64 &+ begins.trailingZeroBitCount
                    if end > count { break }
                    begins &= begins &- 1
                    appendSegment(first, end, segments, &output)
                    first = end
                }
            }
            output.commit(to: scratch)
        }
    }

    @inline(__always)
    private func appendSegment(_ first: Int, _ end: Int, _ segments: SegmentMerger, _ output: inout PieceOutput) {
        let (symbols, starts) = (segments.symbols, segments.starts)
        // starts[count] is the text's end.
        let place = starts[end]
        if end &- first == 1 { return output.append(symbols[first], end: place) }
        if end &- first == 2 {
            let piece = segments.pairs[first]
            if piece >= 0 { return output.append(piece, end: place) }
            output.append(symbols[first], end: starts[first &+ 1])
            return output.append(symbols[first &+ 1], end: place)
        }
        let left = segments.merge(first, count: end &- first)
        for symbol in first..<first &+ left &- 1 { output.append(symbols[symbol], end: starts[symbol &+ 1]) }
        output.append(symbols[first &+ left &- 1], end: place)
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
