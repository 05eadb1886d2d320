/// A value for each of some pairs of numbers: open addressing, a probe being one cache line.
struct SymbolPairTable<Value: BitwiseCopyable & Sendable>: Sendable {
    private var entries: [Entry]
    private(set) var count = 0
    /// The top bits of a pair's hash are its place.
    private var shift: UInt64 = 58
    private let placeholder: Value

    fileprivate struct Entry {
        var left: Int32
        var right: Int32
        var value: Value
    }

    /// No number is this.
    private static var empty: Int32 { .min }

    /// - Parameter placeholder: any value, for the slots without a pair.
    init(placeholder: Value) {
        self.placeholder = placeholder
        entries = [Entry](repeating: Entry(left: Self.empty, right: 0, value: placeholder), count: 64)
    }

    /// The table's memory, for loops.
    struct View {
        private let entries: UnsafePointer<Entry>
        private let mask: Int
        private let shift: UInt64

        fileprivate init(_ entries: UnsafeBufferPointer<Entry>, shift: UInt64) {
            // A buffer of an array with elements has a base address.
            self.entries = entries.baseAddress.unsafelyUnwrapped
            mask = entries.count - 1
            self.shift = shift
        }

        /// The value of a pair whose hash is known.
        @inline(__always)
        func find(_ left: Int32, _ right: Int32, _ hash: UInt64) -> Value? {
            // The shift leaves as many bits as there are slots; at most two thirds are taken: an empty one comes.
            var slot = Int(truncatingIfNeeded: hash &>> shift)
            while entries[slot].left != SymbolPairTable.empty {
                if entries[slot].left == left, entries[slot].right == right { return entries[slot].value }
                slot = (slot &+ 1) & mask
            }
            return nil
        }

        @inline(__always)
        func find(_ left: Int32, _ right: Int32) -> Value? {
            find(left, right, PairFilter.hash(left, right))
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        entries.withUnsafeBufferPointer { body(View($0, shift: shift)) }
    }

    /// The value of a pair, which is first given the placeholder if the pair is new.
    subscript(left: Int32, right: Int32) -> Value {
        get { withView { $0.find(left, right) } ?? placeholder }
        set {
            let slot = insert(left, right).slot
            entries[slot].value = newValue
        }
    }

    /// Adds a pair unless it is there.
    mutating func insert(_ left: Int32, _ right: Int32) -> (slot: Int, isNew: Bool) {
        if count * 3 > entries.count * 2 { grow() }
        var slot = Int(PairFilter.hash(left, right) >> shift)
        while entries[slot].left != Self.empty {
            if entries[slot].left == left, entries[slot].right == right { return (slot, false) }
            slot = (slot + 1) & (entries.count - 1)
        }
        entries[slot].left = left
        entries[slot].right = right
        count += 1
        return (slot, true)
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](
            repeating: Entry(left: Self.empty, right: 0, value: placeholder), count: old.count * 2)
        shift -= 1
        for entry in old where entry.left != Self.empty {
            var slot = Int(PairFilter.hash(entry.left, entry.right) >> shift)
            while entries[slot].left != Self.empty { slot = (slot + 1) & (entries.count - 1) }
            entries[slot] = entry
        }
    }
}
