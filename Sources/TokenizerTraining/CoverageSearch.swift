import UnicodeText

/// Divides a vocabulary between merges and single characters, where bytes can stand for the characters left out
/// (`auto_character_coverage`).
///
/// Of all numbers of merges, in the order learned, the one is taken that saves the most tokens: a merge saves its
/// frequency, a character of n bytes n - 1 tokens each time. All characters of the merges must be in the vocabulary; the
/// room that is left goes to the characters that save most.
struct CoverageSearch {
    private let merges: [(piece: [UInt8], frequency: Int64)]
    private let budget: Int
    /// Characters of more than one byte, those that save most first.
    private var savings: [(scalar: UInt32, saving: Int64)] = []
    private var ranks: [UInt32: Int] = [:]

    init(
        merges: [(piece: [UInt8], frequency: Int64)], characters: [(scalar: UInt32, count: Int64)], budget: Int
    ) {
        self.merges = merges
        self.budget = budget
        savings = characters.filter { $0.scalar >= 0x80 && $0.count > 0 }
            .map { ($0.scalar, $0.count * Int64(byteLength($0.scalar) - 1), $0.count) }
            .sorted { ($1.1, $1.2, $0.0) < ($0.1, $0.2, $1.0) }
            .map { ($0.0, $0.1) }
        for (rank, item) in savings.enumerated() { ranks[item.scalar] = rank }
    }

    /// The vocabulary's pieces in order: merges, their characters by code point, other characters by what they save.
    func pieces() -> [[UInt8]] {
        let (mergeCount, otherCount) = bestDivision()
        var needed: Set<UInt32> = []
        for merge in merges.prefix(mergeCount) { needed.formUnion(scalars(of: merge.piece)) }
        let others = savings.lazy.map(\.scalar).filter { !needed.contains($0) }.prefix(otherCount)
        return merges.prefix(mergeCount).map(\.piece) + (needed.sorted() + others).map(UTF8Scalars.bytes)
    }

    private func bestDivision() -> (merges: Int, others: Int) {
        var free = PrefixSums(savings.map { ($0.saving, 1) })
        var needed: Set<UInt32> = []
        var saved: Int64 = 0
        var best = (merges: 0, others: 0, saved: Int64.min)
        for count in 0...merges.count {
            let room = budget - count - needed.count
            if room >= 0 {
                let others = min(room, free.count)
                let total = saved + free.sum(ofFirst: others)
                // Of equal ones the one with more merges.
                if total >= best.saved { best = (count, others, total) }
            }
            if count == merges.count { break }
            saved += merges[count].frequency
            for scalar in scalars(of: merges[count].piece) where needed.insert(scalar).inserted {
                guard let rank = ranks[scalar] else { continue }
                saved += savings[rank].saving
                free.remove(rank)
            }
        }
        return (best.merges, best.others)
    }
}

/// Sums over the first of some items, from which items are taken out: a binary indexed tree.
private struct PrefixSums {
    private var values: [Int64]
    private var sums: [Int64]
    private var counts: [Int]
    private(set) var count: Int

    init(_ items: [(value: Int64, count: Int)]) {
        values = items.map(\.value)
        count = items.count
        sums = [Int64](repeating: 0, count: items.count + 1)
        counts = [Int](repeating: 0, count: items.count + 1)
        for index in items.indices { add(index, items[index].value, items[index].count) }
    }

    private mutating func add(_ index: Int, _ value: Int64, _ count: Int) {
        var node = index + 1
        while node < sums.count {
            sums[node] += value
            counts[node] += count
            node += node & -node
        }
    }

    mutating func remove(_ index: Int) {
        add(index, -values[index], -1)
        count -= 1
    }

    /// The sum of the first `wanted` items that are still there.
    func sum(ofFirst wanted: Int) -> Int64 {
        var step = 1
        while step * 2 < sums.count { step *= 2 }
        var node = 0
        var left = wanted
        var sum: Int64 = 0
        while step > 0 {
            if node + step < sums.count, counts[node + step] <= left, left > 0 {
                node += step
                left -= counts[node]
                sum += sums[node]
            }
            step /= 2
        }
        return sum
    }
}

private func byteLength(_ scalar: UInt32) -> Int {
    scalar < 0x80 ? 1 : scalar < 0x800 ? 2 : scalar < 0x10000 ? 3 : 4
}

private func scalars(of piece: [UInt8]) -> [UInt32] {
    String(decoding: piece, as: UTF8.self).unicodeScalars.map(\.value)
}
