/// Byte strings with a value each, side by side in memory, for building a trie.
package struct SortedKeys {
    /// All keys, one after the other.
    private(set) var bytes: [UInt8] = []
    /// Where each key ends in `bytes`.
    private(set) var ends: [Int] = []
    private(set) var values: [UInt32] = []

    package init() {}

    package var count: Int { ends.count }

    package mutating func reserveCapacity(keys: Int, bytes byteCount: Int) {
        bytes.reserveCapacity(byteCount)
        ends.reserveCapacity(keys)
        values.reserveCapacity(keys)
    }

    /// Adds a key: neither empty nor with a NUL, above the one before in byte order, its value below 2^31.
    package mutating func append(_ key: some Sequence<UInt8>, value: UInt32) {
        append(value: value) { $0.append(contentsOf: key) }
    }

    /// Adds the key that `body` appends to the bytes.
    @inline(__always)
    package mutating func append(value: UInt32, _ body: (inout [UInt8]) -> Void) {
        precondition(value < 1 << 31, "a value needs more than 31 bits")
        body(&bytes)
        ends.append(bytes.count)
        values.append(value)
    }

    func range(of index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }
}
