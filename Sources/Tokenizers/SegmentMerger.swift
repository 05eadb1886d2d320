/// Merges the symbols of one segment in place.
///
/// The pointers are those of a scratch with room for all symbols of the text; `merges[i]` belongs to the pair of
/// symbols i and i + 1.
struct SegmentMerger {
    let view: MergeTable.View
    let symbols: UnsafeMutablePointer<Int32>
    let starts: UnsafeMutablePointer<Int32>
    let merges: UnsafeMutablePointer<UInt64>

    /// Notes the merge of a character with the one to its left; false if no piece holds them side by side.
    @inline(__always)
    func noteMerge(leftOf index: Int) -> Bool {
        guard let merge = view.ofCharacters(symbols[index - 1], symbols[index]) else { return false }
        merges[index - 1] = merge
        return true
    }

    /// Longer segments are merged with a queue, which takes n log n steps instead of n².
    private static let longestScanned = 40

    /// Merges until nothing is left to merge; says how many symbols remain.
    ///
    /// They stand at `first...`, their starts too.
    @inline(__always)
    func merge(_ first: Int, count: Int) -> Int {
        if count == 3 { return mergeThree(first) }
        return count <= Self.longestScanned ? scan(first, count: count) : queue(first, count: count)
    }

    /// Merges three symbols, the most frequent case that takes more than a look; says how many remain.
    @inline(__always)
    private func mergeThree(_ first: Int) -> Int {
        let (symbols, starts, merges) = (symbols + first, starts + first, merges + first)
        let (left, right) = (merges[0], merges[1])
        if left & right == MergeTable.none { return 3 }
        if left &>> 32 <= right &>> 32 {
            symbols[0] = Int32(truncatingIfNeeded: left)
            let all = view.of(piece: symbols[0], with: symbols[2])
            if all == MergeTable.none {
                (symbols[1], starts[1]) = (symbols[2], starts[2])
                return 2
            }
            symbols[0] = Int32(truncatingIfNeeded: all)
            return 1
        }
        symbols[1] = Int32(truncatingIfNeeded: right)
        let all = view.of(symbols[0], withPiece: symbols[1])
        if all == MergeTable.none { return 2 }
        symbols[0] = Int32(truncatingIfNeeded: all)
        return 1
    }

    /// Looks at all pairs each time.
    private func scan(_ first: Int, count: Int) -> Int {
        let (symbols, starts, merges) = (symbols + first, starts + first, merges + first)
        var count = count
        while true {
            var best = MergeTable.noRank
            var place = 0
            for index in 0..<count - 1 {
                let rank = merges[index] &>> 32
                // Strictly better: of equal ranks the leftmost stays.
                if rank < best { (best, place) = (rank, index) }
            }
            if best == MergeTable.noRank { return count }
            symbols[place] = Int32(truncatingIfNeeded: merges[place])
            count -= 1
            var index = place + 1
            while index < count {
                symbols[index] = symbols[index + 1]
                starts[index] = starts[index + 1]
                merges[index - 1] = merges[index]
                index += 1
            }
            if place > 0 { merges[place - 1] = view.of(symbols[place - 1], withPiece: symbols[place]) }
            if place < count - 1 { merges[place] = view.of(piece: symbols[place], with: symbols[place + 1]) }
            if count == 1 { return 1 }
        }
    }

    /// Takes the best merge from a queue each time.
    private func queue(_ first: Int, count: Int) -> Int {
        var list = SymbolList(symbols: symbols + first, starts: starts + first, count: count)
        var agenda = MergeAgenda()
        for index in 0..<count - 1 {
            agenda.push(merges[first + index], left: index, end: list.end(of: index + 1))
        }
        while let entry = agenda.pop() {
            guard let merged = list.merge(entry) else { continue }
            if let previous = merged.previous {
                agenda.push(view.of(list.number(previous), withPiece: entry.symbol), left: previous, end: entry.end)
            }
            if let next = merged.next {
                agenda.push(view.of(piece: entry.symbol, with: list.number(next)), left: merged.index, end: list.end(of: next))
            }
        }
        return list.compact(into: symbols + first, starts + first)
    }
}
