import Glibc
import UnicodeText

/// Finds every way to cut a piece into two symbols, with two hash steps for each cut.
///
/// The hash of a byte string is a polynomial over its bytes, so that those of all prefixes and suffixes of a piece
/// come from one pass; a hit is then compared byte by byte.
struct MergeFinder {
    private let texts: Vocabulary.Texts
    private let characters: CharacterNumbers
    /// Open addressing: the id of a segmentable piece, or -1.
    private var slots: [Slot]
    /// One bit for each hash: most beginnings and ends of pieces are no pieces, and this stays in the cache.
    private var filter: [UInt64]
    private var prefixHashes: [UInt64] = []
    private var powers: [UInt64] = [1]

    private struct Slot {
        var hash: UInt64
        var id: Int32
    }

    private static let base: UInt64 = 0x9E37_79B9_7F4A_7C15

    init(_ pieces: SegmentablePieces, texts: Vocabulary.Texts, characters: CharacterNumbers) {
        self.texts = texts
        self.characters = characters
        var size = 64
        while size < pieces.vocabulary.count * 2 { size *= 2 }
        slots = [Slot](repeating: Slot(hash: 0, id: -1), count: size)
        filter = [UInt64](repeating: 0, count: size / 8)
        pieces.forEach { id, bytes in insert(id, bytes) }
    }

    private mutating func insert(_ id: Int32, _ bytes: UnsafeBufferPointer<UInt8>) {
        let hash = bytes.reduce(UInt64(0)) { $0 &* Self.base &+ (UInt64($1) + 1) }
        let bit = filterBit(of: hash)
        filter[bit >> 6] |= 1 << UInt64(bit & 63)
        var slot = place(of: hash)
        while slots[slot].id >= 0 { slot = (slot + 1) & (slots.count - 1) }
        slots[slot] = Slot(hash: hash, id: id)
    }

    @inline(__always)
    private func place(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash &* 0xD6E8_FEB8_6659_FD93) >> 32) & (slots.count - 1)
    }

    @inline(__always)
    private func filterBit(of hash: UInt64) -> Int {
        Int(truncatingIfNeeded: (hash &* 0xD6E8_FEB8_6659_FD93) &>> 16) & (filter.count * 64 - 1)
    }

    /// Calls `body` with the left and right symbol of each cut of a piece, the shortest left one first.
    mutating func forEachCut(of bytes: UnsafeBufferPointer<UInt8>, _ body: (Int32, Int32) -> Void) {
        hashPrefixes(of: bytes)
        var cut = UTF8Scalars.decode(bytes, at: 0).length
        while cut < bytes.count {
            let width = UTF8Scalars.decode(bytes, at: cut).length
            let left = prefixHashes[cut]
            let right = prefixHashes[bytes.count] &- left &* powers[bytes.count - cut]
            if let left = symbol(UnsafeBufferPointer(rebasing: bytes[..<cut]), hash: left),
                let right = symbol(UnsafeBufferPointer(rebasing: bytes[cut...]), hash: right)
            {
                body(left, right)
            }
            cut += width
        }
    }

    private mutating func hashPrefixes(of bytes: UnsafeBufferPointer<UInt8>) {
        while powers.count <= bytes.count { powers.append(powers[powers.count - 1] &* Self.base) }
        prefixHashes.removeAll(keepingCapacity: true)
        var hash: UInt64 = 0
        prefixHashes.append(0)
        for byte in bytes {
            hash = hash &* Self.base &+ (UInt64(byte) + 1)
            prefixHashes.append(hash)
        }
    }

    private func isEqual(_ left: UnsafeBufferPointer<UInt8>, _ right: UnsafeBufferPointer<UInt8>) -> Bool {
        // Neither is empty: pieces are not, and a cut leaves something on both sides.
        guard left.count == right.count, let leftBase = left.baseAddress, let rightBase = right.baseAddress else {
            return false
        }
        return memcmp(leftBase, rightBase, left.count) == 0
    }

    /// The number of a symbol: a segmentable piece's id, or a lone character's number beyond the ids.
    private func symbol(_ bytes: UnsafeBufferPointer<UInt8>, hash: UInt64) -> Int32? {
        let bit = filterBit(of: hash)
        if filter[bit >> 6] &>> UInt64(bit & 63) & 1 == 1 {
            var slot = place(of: hash)
            while slots[slot].id >= 0 {
                if slots[slot].hash == hash, isEqual(texts.bytes(of: Int(slots[slot].id)), bytes) {
                    return slots[slot].id
                }
                slot = (slot + 1) & (slots.count - 1)
            }
        }
        let (scalar, length) = UTF8Scalars.decode(bytes, at: 0)
        return length == bytes.count ? characters[scalar] : nil
    }
}
