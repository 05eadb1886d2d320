/// The merges that wait in one text: a binary heap, best score first, leftmost first among equal scores.
struct MergeAgenda {
    struct Entry {
        /// The merged piece's rank by score in the upper half, the left symbol's position in the lower.
        var key: UInt64
        /// Bytes of the merged piece; an entry whose symbols no longer make that many is stale.
        var length: Int32
        var id: Int32
    }

    private var entries: [Entry] = []

    mutating func removeAll() {
        entries.removeAll(keepingCapacity: true)
    }

    @inline(__always)
    mutating func push(_ entry: Entry) {
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
