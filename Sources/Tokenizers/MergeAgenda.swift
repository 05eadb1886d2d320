/// The merges that wait in one text: a binary heap, best score first, leftmost first among equal scores.
struct MergeAgenda {
    struct Entry {
        /// The merge's rank by score in the upper half, the left symbol's position in the lower.
        fileprivate var key: UInt64
        /// The piece that the merge makes.
        var symbol: Int32
        /// Where the right symbol ended when the entry was made; an entry whose symbols have changed is stale.
        var end: Int32

        /// The position of the left symbol.
        var left: Int { Int(truncatingIfNeeded: key & 0xFFFF_FFFF) }
    }

    private var entries: [Entry] = []

    /// Adds a merge as the table has it, unless it is none.
    @inline(__always)
    mutating func push(_ merge: UInt64, left: Int, end: Int32) {
        if merge == MergeTable.none { return }
        let key = merge & 0xFFFF_FFFF_0000_0000 | UInt64(left)
        insert(Entry(key: key, symbol: Int32(truncatingIfNeeded: merge), end: end))
    }

    private mutating func insert(_ entry: Entry) {
        entries.append(entry)
        entries.withUnsafeMutableBufferPointer { heap in
            var hole = heap.count - 1
            while hole > 0 {
                let parent = (hole - 1) >> 1
                if heap[parent].key <= entry.key { break }
                heap[hole] = heap[parent]
                hole = parent
            }
            heap[hole] = entry
        }
    }

    @inline(__always)
    mutating func pop() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        if entries.isEmpty { return last }
        return entries.withUnsafeMutableBufferPointer { heap in
            let top = heap[0]
            var hole = 0
            while true {
                var child = 2 * hole + 1
                if child >= heap.count { break }
                if child + 1 < heap.count, heap[child + 1].key < heap[child].key { child += 1 }
                if last.key <= heap[child].key { break }
                heap[hole] = heap[child]
                hole = child
            }
            heap[hole] = last
            return top
        }
    }
}
