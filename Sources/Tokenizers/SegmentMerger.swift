/// Merges the symbols of one segment in place.
///
/// The pointers are those of a scratch with room for all symbols of the text; `pairs[i]` and `merges[i]` belong to the
/// pair of symbols i and i + 1.
struct SegmentMerger {
    let view: MergeTable.View
    let symbols: UnsafeMutablePointer<Int32>
    let starts: UnsafeMutablePointer<Int32>
    let pairs: UnsafeMutablePointer<Int32>
    let merges: UnsafeMutablePointer<UInt64>
    /// A bit for each symbol, and at least one more.
    let joints: UnsafeMutablePointer<UInt64>

    init(_ view: MergeTable.View, _ scratch: EncodingScratch) {
        let count = scratch.symbols.count
        scratch.pairs.reserve(count)
        scratch.merges.reserve(count)
        scratch.joints.reserve(count / 64 + 1)
        self.view = view
        (symbols, starts) = (scratch.symbols.base, scratch.starts.base)
        (pairs, merges) = (scratch.pairs.base, scratch.merges.base)
        joints = scratch.joints.base
    }

    /// Finds which symbols are joined to the one before, and what those two make.
    ///
    /// First all bits, without a branch, then the few that are set: so that no wrong guess stops the memory accesses.
    func findJoints(count: Int) {
        for word in 0...count / 64 {
            let first = word * 64
            var bits: UInt64 = 0
            for index in max(first, 1)..<max(min(first + 64, count), 1) {
                bits |= view.mayJoin(symbols[index &- 1], symbols[index]) &<< UInt64(truncatingIfNeeded: index & 63)
            }
            var rest = bits
            while rest != 0 {
                let index = first &+ rest.trailingZeroBitCount
                rest &= rest &- 1
                if let piece = view.pieceOfCharacters(symbols[index &- 1], symbols[index]) {
                    pairs[index &- 1] = piece
                } else {
                    bits &= ~(1 &<< UInt64(truncatingIfNeeded: index & 63))
                }
            }
            joints[word] = bits
        }
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
        let (symbols, starts, pairs) = (symbols + first, starts + first, pairs + first)
        let (left, right) = (pairs[0], pairs[1])
        if left & right < 0 { return 3 }
        // The better of the two, or the only one; of equal ones the left.
        if right < 0 || left >= 0 && view.rank(left) <= view.rank(right) {
            symbols[0] = left
            let all = view.of(piece: left, with: symbols[2])
            if all == MergeTable.none {
                (symbols[1], starts[1]) = (symbols[2], starts[2])
                return 2
            }
            symbols[0] = Int32(truncatingIfNeeded: all)
            return 1
        }
        symbols[1] = right
        let all = view.of(symbols[0], withPiece: right)
        if all == MergeTable.none { return 2 }
        symbols[0] = Int32(truncatingIfNeeded: all)
        return 1
    }

    /// Looks at all pairs each time.
    private func scan(_ first: Int, count: Int) -> Int {
        let (symbols, starts, merges) = (symbols + first, starts + first, merges + first)
        for index in 0..<count - 1 { merges[index] = view.merge(pairs[first + index]) }
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
            agenda.push(view.merge(pairs[first + index]), left: index, end: list.end(of: index + 1))
        }
        while let entry = agenda.pop() {
            guard let merged = list.merge(entry) else { continue }
            if let previous = merged.previous {
                agenda.push(view.of(list.number(previous), withPiece: entry.symbol), left: previous, end: entry.end)
            }
            if let next = merged.next {
                agenda.push(
                    view.of(piece: entry.symbol, with: list.number(next)), left: merged.index, end: list.end(of: next))
            }
        }
        return list.compact(into: symbols + first, starts + first)
    }
}
