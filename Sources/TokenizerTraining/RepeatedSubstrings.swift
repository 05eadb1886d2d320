import Partitioning

/// A stretch of the text that may become a piece.
struct SeedCandidate: Sendable {
    /// Of its first character in the text's symbols.
    var position: Int32
    /// In characters.
    var length: Int32
    var count: Int64
}

/// Finds the substrings that sentencepiece 0.2.3 takes from a suffix array as seeds: valid pieces of two characters or
/// more that occur at least twice and go on in at least two ways.
///
/// "Go on" is about bytes: followers that share their first byte are one way, since the suffix array is one of bytes;
/// the end of a sentence is a way of its own, and what follows it counts where a substring stands at several ends.
/// Instead of sorting whole suffixes, positions are split by one character more at a time, and only where a longer piece
/// may still form: no more than `longestPiece` characters are ever looked at.
struct RepeatedSubstrings {
    let text: SymbolText
    let rules: PieceRules
    /// Substrings of more than three bytes must occur so often.
    let minimumCount: Int64
    let threads: Int

    /// The candidates of a range of sentences in the order of their bytes.
    ///
    /// - Parameters:
    ///   - symbols: the range's part of the text.
    ///   - copies: how often each sentence stands in the text that is searched; nil if once.
    func candidates(symbols: Range<Int>, copies: SentenceCopies?) throws -> [SeedCandidate] {
        let sorted = PositionsByFirstSymbol(text, symbols)
        let parts = sorted.parts(about: max(1, threads) * 16)
        let found = try concurrentMap(count: parts.count, threads: threads) { part in
            var search = SubstringSearch(
                text: text, rules: rules, end: symbols.upperBound, copies: copies, minimumCount: minimumCount,
                positions: sorted.positions.pointer)
            for symbol in parts[part] { search.search(sorted.range(of: symbol), first: Int32(symbol)) }
            return search.found
        }
        return Array(found.joined())
    }
}

/// All positions where a piece may begin, sorted by the character there.
private struct PositionsByFirstSymbol: Sendable {
    let positions: SharedBuffer<Int32>
    private let starts: [Int]

    init(_ text: SymbolText, _ range: Range<Int>) {
        let forbidden = text.alphabet.traits.map { $0.kind == .forbidden }
        var counts = [Int](repeating: 0, count: text.alphabet.count + 1)
        let symbols = text.symbols
        for index in range where !forbidden[Int(symbols[index])] { counts[Int(symbols[index]) + 1] += 1 }
        for index in counts.indices.dropFirst() { counts[index] += counts[index - 1] }
        starts = counts
        let buffer = SharedBuffer<Int32>(count: counts[counts.count - 1])
        var next = counts
        for index in range {
            let symbol = Int(symbols[index])
            if forbidden[symbol] { continue }
            buffer[next[symbol]] = Int32(index)
            next[symbol] += 1
        }
        positions = buffer
    }

    func range(of symbol: Int) -> Range<Int> { starts[symbol]..<starts[symbol + 1] }

    /// Ranges of symbols with about equally many positions.
    func parts(about count: Int) -> [Range<Int>] {
        let goal = max(1, positions.count / count)
        var parts: [Range<Int>] = []
        var start = 1
        for symbol in 1..<starts.count - 1 where starts[symbol + 1] - starts[start] >= goal {
            parts.append(start..<symbol + 1)
            start = symbol + 1
        }
        if start < starts.count - 1 { parts.append(start..<starts.count - 1) }
        return parts
    }
}
