/// A trie in a double array, in the layout of darts-clone that SentencePiece keeps its normalization rules in.
///
/// A unit's bits: 0-7 label, 8 has a leaf, 9 wide offset, 10-30 offset; a leaf has bit 31 set and a 31-bit value below.
/// Units from a file may be anything: every step stays inside the array.
package struct DoubleArrayTrie: Sendable {
    let units: [UInt32]

    init(units: [UInt32]) {
        self.units = units
    }

    /// Whether every unit leads inside the array, and every value is below a limit: what sentencepiece asks of a trie
    /// that comes from a file.
    func isSound(valueLimit: Int) -> Bool {
        guard let root = units.first, root & 0x8000_01FF == 0, root >> 10 != 0 else { return false }
        return units.enumerated().allSatisfy { index, unit in
            if unit >> 31 == 1 { return index > 0 && Int(unit & 0x7FFF_FFFF) < valueLimit }
            let child = index ^ Int(unit >> 10) << Int((unit & 1 << 9) >> 6)
            guard child | 0xFF < units.count else { return false }
            return unit >> 8 & 1 == 0 || units[child] >> 31 == 1
        }
    }

    /// The longest key that `text` has at `start`: its value and length; nil if there is none.
    package func longestPrefix(of text: UnsafeBufferPointer<UInt8>, from start: Int) -> (value: Int, length: Int)? {
        var result: (value: Int, length: Int)?
        forEachPrefix(of: text, from: start) { value, length in result = (value, length) }
        return result
    }

    /// The longest of the `limit` shortest keys that `text` has at `start`.
    func longestPrefix(
        of text: UnsafeBufferPointer<UInt8>, from start: Int, among limit: Int
    ) -> (value: Int, length: Int)? {
        var result: (value: Int, length: Int)?
        var seen = 0
        forEachPrefix(of: text, from: start) { value, length in
            if seen < limit { result = (value, length) }
            seen += 1
        }
        return result
    }

    /// Calls `body` with the value and length of each key that `text` has at `start`, shortest first.
    @inline(__always)
    package func forEachPrefix(of text: UnsafeBufferPointer<UInt8>, from start: Int, _ body: (Int, Int) -> Void) {
        units.withUnsafeBufferPointer { units in
            var walk = Walk(units)
            var position = start
            while position < text.count, walk.step(text[position]) {
                position += 1
                if let value = walk.value { body(value, position - start) }
            }
        }
    }

    /// A position in the trie.
    struct Walk {
        private let units: UnsafeBufferPointer<UInt32>
        private var node = 0
        private var unit: UInt32

        @inline(__always)
        init(_ units: UnsafeBufferPointer<UInt32>) {
            self.units = units
            unit = units.first ?? 0
        }

        /// Goes down by one byte; false if there is no such child.
        @inline(__always)
        mutating func step(_ byte: UInt8) -> Bool {
            let next = node ^ offset(unit) ^ Int(byte)
            guard next < units.count else { return false }
            let child = units[next]
            guard child & 0x8000_00FF == UInt32(byte) else { return false }
            node = next
            unit = child
            return true
        }

        /// The value of the key that ends here.
        @inline(__always)
        var value: Int? {
            guard unit >> 8 & 1 == 1 else { return nil }
            let leaf = node ^ offset(unit)
            return leaf < units.count ? Int(units[leaf] & 0x7FFF_FFFF) : nil
        }

        @inline(__always)
        private func offset(_ unit: UInt32) -> Int {
            Int(unit >> 10) << Int((unit & 1 << 9) >> 6)
        }
    }
}
