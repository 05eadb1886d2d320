import Partitioning

/// Counts all pairs of neighbours and keeps the frequent ones with their occurrences.
///
/// Occurrences are sorted by their left symbol (a counting sort, so they stay in order of position); then each left
/// symbol's right neighbours are counted in an array that fits the cache.
struct PairCounting: Sendable {
    private let cells: WordCells
    private let symbolCount: Int
    private let lengths: [Int32]
    /// Where pairs begin, by left symbol; the right one is noted beside, so that the cells are walked only once.
    private var occurrences: [Occurrence]
    /// Where each left symbol's occurrences begin; one more entry for the end.
    private var starts: [Int]
    private let threads: Int

    private struct Occurrence: Sendable {
        var position: Int32
        var right: Int32
    }

    init(_ cells: WordCells, _ symbols: borrowing MergeSymbols, threads: Int) {
        self.cells = cells
        self.threads = threads
        symbolCount = symbols.count
        lengths = (0..<Int32(symbols.count)).map { symbols.length(of: $0) }
        starts = [Int](repeating: 0, count: symbols.count + 1)
        occurrences = []
        sortOccurrences()
    }

    private mutating func sortOccurrences() {
        var next = [Int](repeating: 0, count: symbolCount + 1)
        forEachPair { left, _, _ in next[Int(left) + 1] += 1 }
        for symbol in 0..<symbolCount { next[symbol + 1] += next[symbol] }
        starts = next
        occurrences = [Occurrence](unsafeUninitializedCapacity: starts[symbolCount]) { buffer, count in
            forEachPair { left, right, position in
                buffer[next[Int(left)]] = Occurrence(position: position, right: right)
                next[Int(left)] += 1
            }
            // Every place was written: the counts are those of the same walk.
            count = next[max(0, symbolCount - 1)]
        }
    }

    @inline(__always)
    private func forEachPair(_ body: (Int32, Int32, Int32) -> Void) {
        for position in 0..<Int32(max(0, cells.count - 1)) {
            let left = cells[position]
            if left < 0 { continue }
            let right = cells[position + lengths[Int(left)]]
            if right >= 0 { body(left, right, position) }
        }
    }

    /// How many pairs have each frequency.
    func frequencies() throws -> [Int64: Int] {
        let counted = try mapSymbols { symbols in
            var histogram: [Int64: Int] = [:]
            forEachPair(of: symbols) { _, _, frequency, _ in histogram[frequency, default: 0] += 1 }
            return histogram
        }
        return counted.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }

    /// A pair that is kept, with its number of occurrences.
    private struct Found: Sendable {
        var left: Int32
        var right: Int32
        var frequency: Int64
        var count: Int32
    }

    /// The pairs that are as frequent as `threshold` asks for and may become a piece.
    func candidates(threshold: Int64, _ symbols: MergeSymbols) throws -> CandidatePairs {
        let counted = try mapSymbols { range in
            var symbols = symbols
            var found: [Found] = []
            var positions: [Int32] = []
            var runs = [Int](repeating: -1, count: symbolCount)
            forEachPair(of: range) { left, right, frequency, count in
                guard frequency >= threshold, symbols.mayMerge(left, right) else {
                    runs[Int(right)] = -1
                    return
                }
                found.append(Found(left: left, right: right, frequency: frequency, count: count))
                runs[Int(right)] = positions.count
                positions.append(contentsOf: repeatElement(0, count: Int(count)))
            } keep: { right, position in
                let place = runs[Int(right)]
                if place < 0 { return }
                positions[place] = position
                runs[Int(right)] += 1
            }
            return (found, positions)
        }
        var candidates = CandidatePairs(threshold: threshold)
        for (found, positions) in counted {
            var start = candidates.positions.count
            for pair in found {
                candidates.append(
                    pair.left, pair.right, frequency: pair.frequency, firstPosition: start, count: pair.count, symbols)
                start += Int(pair.count)
            }
            candidates.append(positions: positions)
        }
        return candidates
    }

    /// Calls `body` with ranges of left symbols of about equally many occurrences, several at once.
    private func mapSymbols<T: Sendable>(_ body: @Sendable (Range<Int>) -> T) throws -> [T] {
        var ranges: [Range<Int>] = []
        var start = 0
        for part in partitions(of: occurrences.count, into: threads * 4) {
            var end = start
            while end < symbolCount, starts[end + 1] <= part.upperBound { end += 1 }
            if end > start { ranges.append(start..<end) }
            start = end
        }
        if start < symbolCount { ranges.append(start..<symbolCount) }
        return try concurrentMap(count: ranges.count, threads: threads) { [ranges] in body(ranges[$0]) }
    }

    /// For each left symbol: calls `body` with each of its pairs, then `keep` with each of their occurrences.
    @inline(__always)
    private func forEachPair(
        of symbols: Range<Int>, _ body: (Int32, Int32, Int64, Int32) -> Void, keep: ((Int32, Int32) -> Void)? = nil
    ) {
        var frequencies = [Int64](repeating: 0, count: symbolCount)
        var counts = [Int32](repeating: 0, count: symbolCount)
        var touched: [Int32] = []
        for left in symbols {
            for index in starts[left]..<starts[left + 1] {
                let right = occurrences[index].right
                if counts[Int(right)] == 0 { touched.append(right) }
                counts[Int(right)] += 1
                frequencies[Int(right)] += cells.frequency(at: occurrences[index].position)
            }
            for right in touched {
                body(Int32(left), right, frequencies[Int(right)], counts[Int(right)])
                counts[Int(right)] = 0
                frequencies[Int(right)] = 0
            }
            touched.removeAll(keepingCapacity: true)
            guard let keep else { continue }
            for index in starts[left]..<starts[left + 1] {
                keep(occurrences[index].right, occurrences[index].position)
            }
        }
    }
}
