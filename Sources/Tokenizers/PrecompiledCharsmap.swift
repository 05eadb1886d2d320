package import PieceModel

/// Normalization rules as a model file holds them: the longest source that starts here becomes its target.
///
/// Layout: u32 little-endian size of the trie, the trie's units, then the targets, each ended by NUL; a key's value is
/// its target's offset.
package struct PrecompiledCharsmap: Sendable {
    package let trie: DoubleArrayTrie
    let targets: [UInt8]

    /// - Returns: nil for an empty blob, which stands for no rules.
    package init?(blob: some Collection<UInt8>, path: String) throws(PieceModelError) {
        if blob.isEmpty { return nil }
        let bytes = Array(blob)
        func fail(_ reason: String) -> PieceModelError { .badCharsmap(path: path, reason: reason) }
        guard bytes.count > 4 else { throw fail("\(bytes.count) bytes are too few") }
        let size = bytes.withUnsafeBytes { Int(UInt32(littleEndian: $0.loadUnaligned(as: UInt32.self))) }
        guard size < bytes.count - 4 else { throw fail("its trie of \(size) bytes passes the blob's end") }
        guard size >= 1024, size % 1024 == 0 else { throw fail("its trie's size \(size) is no multiple of 1,024") }
        guard bytes.last == 0 else { throw fail("its last target is not ended by NUL") }
        let units = bytes.withUnsafeBytes { raw in
            (0..<size / 4).map { UInt32(littleEndian: raw.loadUnaligned(fromByteOffset: 4 + 4 * $0, as: UInt32.self)) }
        }
        guard DoubleArrayTrie(units: units).isSound(valueLimit: bytes.count - 4 - size) else {
            throw fail("its trie leads outside itself or its targets")
        }
        trie = DoubleArrayTrie(units: units)
        targets = Array(bytes[(4 + size)...])
    }

    /// The blob that `init` reads.
    package var blob: [UInt8] {
        var bytes: [UInt8] = []
        withUnsafeBytes(of: UInt32(trie.units.count * 4).littleEndian) { bytes.append(contentsOf: $0) }
        bytes.reserveCapacity(4 + 4 * trie.units.count + targets.count)
        for unit in trie.units { withUnsafeBytes(of: unit.littleEndian) { bytes.append(contentsOf: $0) } }
        return bytes + targets
    }

    /// - Parameter targets: each ended by NUL; the trie's values are offsets in it.
    package init(trie: DoubleArrayTrie, targets: [UInt8]) {
        self.trie = trie
        self.targets = targets
    }

    /// The target at an offset, without its NUL; empty if the offset is out of range.
    @inline(__always)
    package func target(at offset: Int) -> ArraySlice<UInt8> {
        guard offset < targets.count else { return [] }
        var end = offset
        while end < targets.count, targets[end] != 0 { end += 1 }
        return targets[offset..<end]
    }
}
