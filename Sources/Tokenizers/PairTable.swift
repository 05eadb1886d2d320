/// Which piece two adjacent symbols make: open addressing over pairs of symbol numbers.
package struct PairTable: Sendable {
    private var keys: [UInt64]
    private var values: [Int32]
    private var count = 0

    package init(minimumCapacity: Int) {
        var size = 64
        while size < minimumCapacity * 2 { size *= 2 }
        keys = [UInt64](repeating: .max, count: size)
        values = [Int32](repeating: -1, count: size)
    }

    @inline(__always)
    private static func slot(_ key: UInt64, mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    @inline(__always)
    private static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The merged piece's id, or a negative number. Negative symbols merge with nothing.
    @inline(__always)
    package func merged(_ left: Int32, _ right: Int32) -> Int32 {
        if left | right < 0 { return -1 }
        let key = Self.key(left, right)
        return keys.withUnsafeBufferPointer { keys in
            let mask = keys.count - 1
            var slot = Self.slot(key, mask: mask)
            while keys[slot] != key {
                if keys[slot] == .max { return -1 }
                slot = (slot + 1) & mask
            }
            return values[slot]
        }
    }

    package mutating func insert(_ left: Int32, _ right: Int32, makes merged: Int32) {
        if count * 2 >= keys.count { grow() }
        let key = Self.key(left, right)
        let mask = keys.count - 1
        var slot = Self.slot(key, mask: mask)
        while keys[slot] != .max, keys[slot] != key { slot = (slot + 1) & mask }
        if keys[slot] == .max { count += 1 }
        keys[slot] = key
        values[slot] = merged
    }

    private mutating func grow() {
        var larger = PairTable(minimumCapacity: keys.count)
        for (key, value) in zip(keys, values) where key != .max {
            larger.insert(Int32(truncatingIfNeeded: key >> 32), Int32(truncatingIfNeeded: key), makes: value)
        }
        self = larger
    }
}
