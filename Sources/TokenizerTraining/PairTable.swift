/// Values by pairs of numbers that are not negative: open addressing, each key beside its value.
struct PairTable<Value: Sendable>: Sendable {
    private struct Entry {
        /// `.max` where the slot is free.
        var key: UInt64
        var value: Value
    }

    private var entries: [Entry]
    private let free: Entry
    private var count = 0

    /// - Parameter placeholder: any value; it is never returned.
    init(placeholder: Value) {
        free = Entry(key: .max, value: placeholder)
        entries = [Entry](repeating: free, count: 1 << 12)
    }

    @inline(__always)
    private static func key(_ first: Int32, _ second: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: first)) << 32 | UInt64(UInt32(bitPattern: second))
    }

    @inline(__always)
    private static func firstSlot(_ key: UInt64, mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    @inline(__always)
    subscript(first: Int32, second: Int32) -> Value? {
        let key = Self.key(first, second)
        return entries.withUnsafeBufferPointer { entries in
            let mask = entries.count - 1
            var slot = Self.firstSlot(key, mask: mask)
            while entries[slot].key != key {
                if entries[slot].key == .max { return nil }
                slot = (slot + 1) & mask
            }
            return entries[slot].value
        }
    }

    /// Changes the pair's value, which is `initial` if it has none yet.
    @inline(__always)
    mutating func update<Result>(
        _ first: Int32, _ second: Int32, initial: @autoclosure () -> Value, _ body: (inout Value) -> Result
    ) -> Result {
        precondition(first | second >= 0, "negative numbers have no pair")
        if count * 3 >= entries.count * 2 { grow() }
        let key = Self.key(first, second)
        var slot = Self.firstSlot(key, mask: entries.count - 1)
        while entries[slot].key != key {
            if entries[slot].key == .max {
                entries[slot] = Entry(key: key, value: initial())
                count += 1
                break
            }
            slot = (slot + 1) & (entries.count - 1)
        }
        return body(&entries[slot].value)
    }

    private mutating func grow() {
        let old = entries
        entries = [Entry](repeating: free, count: old.count * 2)
        for entry in old where entry.key != .max {
            var slot = Self.firstSlot(entry.key, mask: entries.count - 1)
            while entries[slot].key != .max { slot = (slot + 1) & (entries.count - 1) }
            entries[slot] = entry
        }
    }
}
