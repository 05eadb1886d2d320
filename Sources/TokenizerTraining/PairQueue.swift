/// Pairs by frequency, then by length, then by text: a binary heap whose best entry is on top.
struct PairQueue {
    struct Entry {
        var frequency: Int64
        var length: Int32
        /// The first three code points.
        var leading: UInt64
        var left: Int32
        var right: Int32
        /// Its number among the candidates.
        var pair: Int32
    }

    private var entries: [Entry] = []

    @inline(__always)
    private static func isBetter(_ left: Entry, _ right: Entry, _ symbols: borrowing MergeSymbols) -> Bool {
        if left.frequency != right.frequency { return left.frequency > right.frequency }
        if left.length != right.length { return left.length < right.length }
        if left.leading != right.leading { return left.leading < right.leading }
        return symbols.precedes((left.left, left.right), (right.left, right.right))
    }

    mutating func push(_ entry: Entry, _ symbols: borrowing MergeSymbols) {
        entries.append(entry)
        var hole = entries.count - 1
        while hole > 0 {
            let parent = (hole - 1) / 2
            if !Self.isBetter(entry, entries[parent], symbols) { break }
            entries[hole] = entries[parent]
            hole = parent
        }
        entries[hole] = entry
    }

    mutating func pop(_ symbols: borrowing MergeSymbols) -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let top = entries.first else { return last }
        var hole = 0
        while true {
            var child = 2 * hole + 1
            if child >= entries.count { break }
            if child + 1 < entries.count, Self.isBetter(entries[child + 1], entries[child], symbols) { child += 1 }
            if !Self.isBetter(entries[child], last, symbols) { break }
            entries[hole] = entries[child]
            hole = child
        }
        entries[hole] = last
        return top
    }
}
