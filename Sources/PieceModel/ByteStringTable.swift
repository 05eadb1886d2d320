import Glibc

/// Distinct byte strings, numbered from zero in the order in which they came.
///
/// Pieces are compared byte by byte: `String` would take "é" and "e" + U+0301 for the same piece.
package struct ByteStringTable: Sendable {
    /// All strings, one after the other.
    package private(set) var bytes: [UInt8] = []
    /// Where each string begins in `bytes`; one more entry for the end.
    private var starts: [Int] = [0]
    /// Open addressing with linear probing: a string's number plus one, or zero. The size is a power of two.
    private var slots: [Int32]

    package init(minimumCapacity: Int = 16) {
        var size = 32
        while size < minimumCapacity * 2 { size *= 2 }
        slots = [Int32](repeating: 0, count: size)
    }

    package var count: Int { starts.count - 1 }

    package func range(of index: Int) -> Range<Int> {
        starts[index]..<starts[index + 1]
    }

    package subscript(index: Int) -> ArraySlice<UInt8> {
        bytes[range(of: index)]
    }

    /// The strings in memory, for loops over many of them.
    package struct View {
        fileprivate let bytes: UnsafeBufferPointer<UInt8>
        fileprivate let starts: UnsafeBufferPointer<Int>

        package subscript(index: Int) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: bytes[starts[index]..<starts[index + 1]])
        }
    }

    /// Calls `body` with a view that is valid inside it only.
    package func withView<R>(_ body: (View) throws -> R) rethrows -> R {
        try bytes.withUnsafeBufferPointer { bytes in
            try starts.withUnsafeBufferPointer { starts in try body(View(bytes: bytes, starts: starts)) }
        }
    }

    /// The number of a string, or nil.
    package func index(of key: UnsafeBufferPointer<UInt8>) -> Int? {
        let found = slots[slot(of: key)]
        return found == 0 ? nil : Int(found) - 1
    }

    package func index(of key: some Collection<UInt8>) -> Int? {
        withContiguousBytes(key) { index(of: $0) }
    }

    /// Adds a string unless it is there; says its number.
    @discardableResult
    package mutating func insert(_ key: UnsafeBufferPointer<UInt8>) -> (index: Int, inserted: Bool) {
        let slot = slot(of: key)
        if slots[slot] != 0 { return (Int(slots[slot]) - 1, false) }
        let index = count
        bytes.append(contentsOf: key)
        starts.append(bytes.count)
        slots[slot] = Int32(index + 1)
        if (index + 1) * 2 > slots.count { grow() }
        return (index, true)
    }

    @discardableResult
    package mutating func insert(_ key: some Collection<UInt8>) -> (index: Int, inserted: Bool) {
        withContiguousBytes(key) { insert($0) }
    }

    private func slot(of key: UnsafeBufferPointer<UInt8>) -> Int {
        let mask = slots.count - 1
        return bytes.withUnsafeBufferPointer { bytes in
            var slot = Int(truncatingIfNeeded: hash(key)) & mask
            while slots[slot] != 0 {
                let range = range(of: Int(slots[slot]) - 1)
                if range.count == key.count, isEqual(bytes, at: range.lowerBound, key) { break }
                slot = (slot + 1) & mask
            }
            return slot
        }
    }

    private mutating func grow() {
        slots = [Int32](repeating: 0, count: slots.count * 2)
        for index in 0..<count {
            let free = bytes.withUnsafeBufferPointer { all in
                slot(of: UnsafeBufferPointer(rebasing: all[range(of: index)]))
            }
            slots[free] = Int32(index + 1)
        }
    }
}

/// Whether a key stands at a place of `bytes`, which go on for as long as the key at least.
private func isEqual(_ bytes: UnsafeBufferPointer<UInt8>, at start: Int, _ key: UnsafeBufferPointer<UInt8>) -> Bool {
    guard let left = bytes.baseAddress, let right = key.baseAddress else { return key.isEmpty }
    return memcmp(left + start, right, key.count) == 0
}

/// A 64-bit hash, eight bytes at a time: multiply and fold. Seedless, so that runs are alike.
private func hash(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
    var state = UInt64(truncatingIfNeeded: bytes.count) &* 0x9E37_79B9_7F4A_7C15
    var index = 0
    let raw = UnsafeRawBufferPointer(bytes)
    while index + 8 <= raw.count {
        state = fold(state ^ raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
        index += 8
    }
    var tail: UInt64 = 0
    while index < raw.count {
        tail = tail << 8 | UInt64(raw[index])
        index += 1
    }
    return fold(state ^ tail)
}

private func fold(_ value: UInt64) -> UInt64 {
    let (high, low) = value.multipliedFullWidth(by: 0xD6E8_FEB8_6659_FD93)
    return high ^ low ^ value >> 32
}

/// Calls `body` with a collection's bytes side by side in memory.
package func withContiguousBytes<R>(
    _ bytes: some Collection<UInt8>, _ body: (UnsafeBufferPointer<UInt8>) throws -> R
) rethrows -> R {
    if let result = try bytes.withContiguousStorageIfAvailable(body) { return result }
    return try Array(bytes).withUnsafeBufferPointer(body)
}
