import PieceModel
import UnicodeText

/// Segmentation by merging the adjacent pair whose piece scores best, leftmost first among equals, until none is left.
///
/// A symbol is a number: a piece's id, or beyond the ids a character that is no piece but part of some; -1 a character
/// that no piece holds; -2 - id a user-defined piece found in the text, which merges with nothing.
struct BPESegmenter: Sendable {
    private let pairs: PairTable
    /// For each id its place by score: 0 is the best; equal scores share one.
    private let ranks: [UInt32]
    /// Bytes of each symbol, characters beyond the ids included.
    private let lengths: [Int32]
    private let isUnused: [Bool]
    private let hasUnused: Bool
    /// The symbol of each character below U+10000, by code point.
    private let basicSymbols: [Int32]
    private let otherSymbols: [UInt32: Int32]
    private let userDefined: DoubleArrayTrie?
    private let pieceCount: Int
    private let unknownID: Int32

    /// How deep unused pieces are taken apart, as in sentencepiece.
    private static let deepestSplit = 100

    init(_ vocabulary: Vocabulary) {
        var symbols = SymbolNumbers(vocabulary)
        pairs = symbols.makePairs(vocabulary)
        (basicSymbols, otherSymbols) = symbols.characterTables()
        ranks = scoreRanks(vocabulary.scores)
        lengths = symbols.lengths()
        isUnused = vocabulary.types.map { $0 == .unused }
        hasUnused = isUnused.contains(true)
        let frozen = vocabulary.userDefined
        userDefined =
            frozen.isEmpty
            ? nil
            : DoubleArrayTrie(
                sorting: frozen.map { (Array(vocabulary.bytes(of: $0)), UInt32($0.rawValue)) })
        pieceCount = vocabulary.count
        unknownID = vocabulary.unknownID?.rawValue ?? -1
    }

    private struct Symbol {
        var number: Int32
        /// In bytes; zero once it is merged into its left neighbour.
        var length: Int32
        var start: Int32
        var previous: Int32
        var next: Int32
    }

    /// Calls `body` with the id and byte range of each piece, left to right; unknown characters have `unknownID`.
    func segment(_ text: UnsafeBufferPointer<UInt8>, _ body: (Int32, Range<Int>) -> Void) {
        var symbols = split(text)
        if symbols.isEmpty { return }
        var agenda = MergeAgenda()
        var origins: [Int32: (Int32, Int32)] = [:]
        symbols.withUnsafeMutableBufferPointer { symbols in
            for left in 0..<symbols.count - 1 { propose(left, symbols, &agenda, &origins) }
            while let entry = agenda.pop() {
                merge(entry, symbols, &agenda, &origins)
            }
        }
        var index = 0
        while index >= 0 {
            let symbol = symbols[index]
            emit(symbol.number, at: Int(symbol.start), length: Int(symbol.length), depth: 0, origins, body)
            index = Int(symbol.next)
        }
    }

    /// The text as user-defined pieces and characters.
    private func split(_ text: UnsafeBufferPointer<UInt8>) -> [Symbol] {
        var symbols: [Symbol] = []
        symbols.reserveCapacity(text.count / 2 + 1)
        var start = 0
        while start < text.count {
            var number: Int32
            var length: Int
            if let frozen = userDefined?.longestPrefix(of: text, from: start) {
                (number, length) = (-2 - Int32(frozen.value), frozen.length)
            } else {
                let (scalar, size) = UTF8Scalars.decode(text, at: start)
                length = size
                number = scalar < 0x10000 ? basicSymbols[Int(scalar)] : otherSymbols[scalar] ?? -1
            }
            let index = Int32(symbols.count)
            symbols.append(
                Symbol(number: number, length: Int32(length), start: Int32(start), previous: index - 1, next: index + 1)
            )
            start += length
        }
        if !symbols.isEmpty { symbols[symbols.count - 1].next = -1 }
        return symbols
    }

    /// Puts the pair that begins at `left` on the agenda if it makes a piece.
    @inline(__always)
    private func propose(
        _ left: Int, _ symbols: UnsafeMutableBufferPointer<Symbol>, _ agenda: inout MergeAgenda,
        _ origins: inout [Int32: (Int32, Int32)]
    ) {
        let right = Int(symbols[left].next)
        if right < 0 { return }
        let merged = pairs.merged(symbols[left].number, symbols[right].number)
        if merged < 0 { return }
        let id = Int(merged)
        agenda.push(MergeAgenda.Entry(key: UInt64(ranks[id]) << 32 | UInt64(left), length: lengths[id], id: merged))
        if hasUnused, isUnused[id] { origins[merged] = (symbols[left].number, symbols[right].number) }
    }

    @inline(__always)
    private func merge(
        _ entry: MergeAgenda.Entry, _ symbols: UnsafeMutableBufferPointer<Symbol>, _ agenda: inout MergeAgenda,
        _ origins: inout [Int32: (Int32, Int32)]
    ) {
        let left = Int(truncatingIfNeeded: entry.key & 0xFFFF_FFFF)
        let right = Int(symbols[left].next)
        guard right >= 0, symbols[left].length > 0,
            symbols[left].length + symbols[right].length == entry.length
        else { return }
        symbols[left].number = entry.id
        symbols[left].length = entry.length
        symbols[left].next = symbols[right].next
        symbols[right].length = 0
        if symbols[right].next >= 0 { symbols[Int(symbols[right].next)].previous = Int32(left) }
        if symbols[left].previous >= 0 { propose(Int(symbols[left].previous), symbols, &agenda, &origins) }
        propose(left, symbols, &agenda, &origins)
    }

    /// Hands a symbol on, an unused piece as what it was merged from.
    private func emit(
        _ number: Int32, at start: Int, length: Int, depth: Int, _ origins: [Int32: (Int32, Int32)],
        _ body: (Int32, Range<Int>) -> Void
    ) {
        if number <= -2 { return body(-2 - number, start..<start + length) }
        if number < 0 || number >= pieceCount { return body(unknownID, start..<start + length) }
        guard hasUnused, isUnused[Int(number)], depth <= Self.deepestSplit else {
            return body(number, start..<start + length)
        }
        guard let (left, right) = origins[number] else { return body(unknownID, start..<start + length) }
        let split = Int(lengths[Int(left)])
        emit(left, at: start, length: split, depth: depth + 1, origins, body)
        emit(right, at: start + split, length: length - split, depth: depth + 1, origins, body)
    }
}

/// For each id the place of its score, best first. +0 is better than -0, as sentencepiece 0.2.3 compares bits.
private func scoreRanks(_ scores: [Float]) -> [UInt32] {
    func orderedBits(_ score: Float) -> UInt32 {
        // Ascending scores become ascending unsigned numbers.
        let bits = score.bitPattern
        return bits >> 31 == 1 ? ~bits : bits | 1 << 31
    }
    let distinct = Set(scores.map(orderedBits)).sorted(by: >)
    let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($0.element, UInt32($0.offset)) })
    return scores.map { places[orderedBits($0)] ?? 0 }
}
