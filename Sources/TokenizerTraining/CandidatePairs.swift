/// The pairs that may be merged next: all whose frequency is at least the threshold.
///
/// Frequencies only fall once a pair is formed, so a pair that begins below the threshold is never needed while the best
/// one is above it.
struct CandidatePairs: Sendable {
    struct Pair: Sendable {
        var left: Int32
        var right: Int32
        var frequency: Int64
        /// Its occurrences: a run of `positions`, ascending. Some may have been merged otherwise since.
        var firstPosition: Int
        var positionCount: Int32
    }

    private(set) var pairs: [Pair] = []
    private(set) var positions: [Int32] = []
    private var table = PairTable<Int32>(placeholder: -1)
    private var queue = PairQueue()
    let threshold: Int64

    init(threshold: Int64) {
        self.threshold = threshold
    }

    subscript(number: Int32) -> Pair { pairs[Int(number)] }

    /// Adds a pair whose occurrences are, or will be, `count` positions from `firstPosition` on.
    mutating func append(
        _ left: Int32, _ right: Int32, frequency: Int64, firstPosition: Int, count: Int32,
        _ symbols: borrowing MergeSymbols
    ) {
        let number = Int32(pairs.count)
        pairs.append(
            Pair(
                left: left, right: right, frequency: frequency, firstPosition: firstPosition, positionCount: count))
        table.update(left, right, initial: number) { $0 = number }
        queue.push(
            PairQueue.Entry(
                frequency: frequency, length: symbols.length(of: left) + symbols.length(of: right),
                leading: symbols.leading(of: left, right), left: left, right: right, pair: number),
            symbols)
    }

    mutating func append(positions more: [Int32]) {
        positions.append(contentsOf: more)
    }

    /// Makes room for positions and says where it begins.
    mutating func makeRoom(for count: Int32) -> Int {
        positions.append(contentsOf: repeatElement(0, count: Int(count)))
        return positions.count - Int(count)
    }

    @inline(__always)
    mutating func setPosition(_ position: Int32, at index: Int) {
        positions[index] = position
    }

    mutating func decrease(_ left: Int32, _ right: Int32, by frequency: Int64) {
        if left | right >= 0, let pair = table[left, right] { pairs[Int(pair)].frequency -= frequency }
    }

    /// The most frequent pair, which is a candidate no longer; nil if all that is left is below the threshold.
    mutating func popBest(_ symbols: borrowing MergeSymbols) -> Int32? {
        while var entry = queue.pop(symbols) {
            let frequency = pairs[Int(entry.pair)].frequency
            if frequency == entry.frequency { return entry.pair }
            if frequency < threshold { continue }
            entry.frequency = frequency
            queue.push(entry, symbols)
        }
        return nil
    }
}
