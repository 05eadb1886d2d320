import Partitioning
import PieceModel

/// Learns merges: again and again the most frequent adjacent pair of symbols becomes one.
///
/// Exact: among equally frequent pairs the shorter piece wins, then the smaller bytes; a piece that an earlier merge
/// made by another path is passed over. This is what sentencepiece 0.2.3 does with a priority queue.
///
/// All occurrences of a pair come into being in one step, when the later of its halves is formed, and only vanish from
/// then on. So pairs that begin below a threshold are not kept at all; should the pairs above it run out, all pairs are
/// counted anew with a lower one.
struct BPETrainer {
    private var cells: WordCells
    private var symbols: MergeSymbols
    private var candidates: CandidatePairs
    private var before = NeighbourTally()
    private var after = NeighbourTally()
    /// Texts of the base's pieces, then of the merges so far.
    private var emitted = ByteStringTable(minimumCapacity: 1 << 15)
    private let baseTexts: Int
    private let threads: Int

    /// Up to so many cells every pair is kept from the start.
    private static let smallCorpus = 1 << 17

    /// - Parameter merges: about how many will be asked for.
    init(
        words: consuming WordCounts, alphabet: Alphabet, rules: PieceRules, merges: Int, threads: Int
    ) throws {
        let scalars = alphabet.characters.map(\.scalar)
        try self.init(
            cells: WordCells(consume words, scalars: scalars), symbols: MergeSymbols(scalars: scalars, rules: rules),
            merges: merges, threads: threads)
    }

    /// Begins with words that are segmented already; the symbols' own texts are never learned again.
    init(cells: consuming WordCells, symbols: MergeSymbols, merges: Int, threads: Int) throws {
        self.threads = threads
        self.cells = cells
        self.symbols = symbols
        let counting = PairCounting(self.cells, symbols, threads: threads)
        var threshold: Int64 = 0
        if self.cells.count > Self.smallCorpus {
            threshold = firstThreshold(try counting.frequencies(), merges: merges)
        }
        candidates = try counting.candidates(threshold: threshold, symbols)
        for text in symbols.baseTexts() { emitted.insert(text) }
        baseTexts = emitted.count
    }

    /// The next merge's piece in UTF-8 with its frequency; nil when no pair is left.
    mutating func nextMerge() throws -> (piece: [UInt8], frequency: Int64)? {
        while true {
            guard let best = candidates.popBest(symbols) else {
                if try !lowerThreshold() { return nil }
                continue
            }
            let pair = candidates[best]
            let piece = symbols.text(of: pair.left, pair.right)
            if !emitted.insert(piece).inserted { continue }
            merge(pair)
            return (piece, pair.frequency)
        }
    }

    /// Makes more pairs candidates; false if all are.
    private mutating func lowerThreshold() throws -> Bool {
        switch candidates.threshold {
        case 0: return false
        case 1: try startOver()
        case let threshold:
            let counting = PairCounting(cells, symbols, threads: threads)
            candidates = try counting.candidates(threshold: max(1, threshold / 4), symbols)
        }
        return true
    }

    /// Makes all merges again with every pair kept, since the next ones are pairs that occur no longer.
    private mutating func startOver() throws {
        let merges = emitted.count
        cells.restore(symbols)
        symbols.removeMerges()
        emitted = ByteStringTable(minimumCapacity: merges)
        for text in symbols.baseTexts() { emitted.insert(text) }
        candidates = try PairCounting(cells, symbols, threads: threads).candidates(threshold: 0, symbols)
        while emitted.count < merges, try nextMerge() != nil {}
    }

    private mutating func merge(_ pair: CandidatePairs.Pair) {
        let merged = symbols.append(pair.left, pair.right)
        before.reserve(symbols.count)
        after.reserve(symbols.count)
        let leftLength = symbols.length(of: pair.left)
        let length = symbols.length(of: merged)
        for index in pair.firstPosition..<pair.firstPosition + Int(pair.positionCount) {
            let left = candidates.positions[index]
            let right = left + leftLength
            guard cells[left] == pair.left, cells[right] == pair.right else { continue }
            tally(pair, into: merged, at: left, end: left + length)
            cells.merge(at: left, right: right, length: length, into: merged)
        }
        for neighbour in before.touched {
            candidates.decrease(neighbour, pair.left, by: before.lost(neighbour))
        }
        for neighbour in after.touched {
            candidates.decrease(pair.right, neighbour, by: after.lost(neighbour))
        }
        before.addPairs(to: &candidates, &symbols) { ($0, merged) }
        after.addPairs(to: &candidates, &symbols) { (merged, $0) }
        before.reset()
        after.reset()
    }

    /// Notes for one occurrence which pairs end and which begin.
    @inline(__always)
    private mutating func tally(_ pair: CandidatePairs.Pair, into merged: Int32, at left: Int32, end: Int32) {
        let frequency = cells.frequency(at: left)
        if let previous = cells.start(before: left) {
            let neighbour = cells[previous]
            if neighbour == merged {
                after.takeBack(pair.left, frequency)
            } else if neighbour != pair.left || pair.left != pair.right {
                before.lose(neighbour, frequency)
            }
            before.gain(neighbour, frequency, at: previous)
        }
        let next = cells[end]
        if next >= 0 {
            if next != pair.right || pair.left != pair.right { after.lose(next, frequency) }
            after.gain(next, frequency, at: left)
        }
    }
}

/// Where to begin: well below what the last merge asked for will have, by how the text's own pairs are spread.
private func firstThreshold(_ frequencies: [Int64: Int], merges: Int) -> Int64 {
    var left = merges
    for frequency in frequencies.keys.sorted(by: >) {
        left -= frequencies[frequency] ?? 0
        if left <= 0 { return max(1, frequency / 3) }
    }
    return 1
}
