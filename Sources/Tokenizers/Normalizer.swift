public import PieceModel
import UnicodeText

/// Text normalization as a SentencePiece model prescribes it, with or without a map back to the input.
public struct Normalizer: Sendable {
    let charsmap: PrecompiledCharsmap?
    let addsDummyPrefix: Bool
    let removesExtraWhitespace: Bool
    let escapesWhitespace: Bool
    let treatsWhitespaceAsSuffix: Bool
    /// User-defined pieces pass unchanged; values are their ids.
    let protected: DoubleArrayTrie?
    /// A bit for each code point below 65,536: does it need more than being copied? It is a space, or a rule or a
    /// protected piece may begin with it.
    let needsCare: [UInt64]

    /// ▁, what a space becomes.
    static let spaceMark: [UInt8] = [0xE2, 0x96, 0x81]

    /// - Parameter protecting: user-defined pieces, which pass unchanged (when encoding, not when training).
    public init(
        specification: Sentencepiece_NormalizerSpec, treatsWhitespaceAsSuffix: Bool, protecting symbols: [[UInt8]] = [],
        path: String
    ) throws(PieceModelError) {
        charsmap = try PrecompiledCharsmap(blob: specification.precompiledCharsmap, path: path)
        addsDummyPrefix = specification.addDummyPrefix
        removesExtraWhitespace = specification.removeExtraWhitespaces
        escapesWhitespace = specification.escapeWhitespaces
        self.treatsWhitespaceAsSuffix = treatsWhitespaceAsSuffix
        protected = symbols.isEmpty ? nil : DoubleArrayTrie(keys: symbols)
        var bits = startingCodePoints(of: [charsmap?.trie, protected].compactMap { $0 })
        bits[0] |= 1 << 0x20
        needsCare = bits
    }

    public func normalize(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { normalize($0) }
    }

    /// The normalized bytes; valid UTF-8 unless the rules themselves give something else.
    public func normalize(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        let scratch = EncodingScratch()
        normalize(input, into: scratch)
        return Array(scratch.text.elements)
    }

    /// The normalized bytes, and for each of them and their end the offset of the input that it stands for.
    public func normalizeWithOffsets(_ input: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], offsets: [Int]) {
        let scratch = EncodingScratch()
        normalizeWithOffsets(input, into: scratch)
        return (Array(scratch.text.elements), scratch.offsets.elements.map { Int($0) })
    }

    /// The rules as a rule file has them, a line each.
    package var ruleLines: [UInt8] {
        charsmap.map { $0.rules.flatMap(\.line) } ?? []
    }
}

/// A bit for each code point below 65,536 with which some key begins (for the first byte alone: all that share it).
private func startingCodePoints(of tries: [DoubleArrayTrie]) -> [UInt64] {
    var bits = [UInt64](repeating: 0, count: 1024)
    if tries.isEmpty { return bits }
    var encoded: [UInt8] = []
    for scalar in UInt32(0)..<0x10000 where scalar & 0xF800 != 0xD800 {
        encoded.removeAll(keepingCapacity: true)
        UTF8Scalars.append(scalar, to: &encoded)
        let begins = tries.contains { trie in
            trie.units.withUnsafeBufferPointer { units in
                var walk = DoubleArrayTrie.Walk(units)
                // A key may also end inside the character (rules over broken UTF-8): any value on the way counts.
                for byte in encoded {
                    if !walk.step(byte) { return false }
                    if walk.value != nil { return true }
                }
                return true
            }
        }
        if begins { bits[Int(scalar >> 6)] |= 1 << UInt64(scalar & 63) }
    }
    return bits
}
