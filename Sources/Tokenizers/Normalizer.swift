public import PieceModel
import UnicodeText

/// Text normalization as a SentencePiece model prescribes it, with or without a map back to the input.
public struct Normalizer: Sendable {
    private let charsmap: PrecompiledCharsmap?
    private let addsDummyPrefix: Bool
    private let removesExtraWhitespace: Bool
    private let escapesWhitespace: Bool
    private let treatsWhitespaceAsSuffix: Bool
    /// User-defined pieces pass unchanged; values are their ids.
    private let protected: DoubleArrayTrie?
    /// A bit for each code point below 65,536: can a rule, or a protected piece, begin with it?
    private let beginsRule: [UInt64]

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
        beginsRule = startingCodePoints(of: [charsmap?.trie, protected].compactMap { $0 })
    }

    public func normalize(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { normalize($0) }
    }

    /// The normalized bytes; always valid UTF-8.
    public func normalize(_ input: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var output = Output(wantsOffsets: false, capacity: input.count)
        normalize(input, into: &output)
        return output.bytes
    }

    /// The normalized bytes, and for each of them and their end the offset of the input that it stands for.
    public func normalizeWithOffsets(_ input: UnsafeBufferPointer<UInt8>) -> (bytes: [UInt8], offsets: [Int]) {
        var output = Output(wantsOffsets: true, capacity: input.count)
        normalize(input, into: &output)
        return (output.bytes, output.offsets)
    }

    private struct Output {
        var bytes: [UInt8] = []
        var offsets: [Int] = []
        let wantsOffsets: Bool

        init(wantsOffsets: Bool, capacity: Int) {
            self.wantsOffsets = wantsOffsets
            bytes.reserveCapacity(capacity + capacity / 2 + 3)
        }

        @inline(__always)
        mutating func append(_ new: some Collection<UInt8>, from offset: Int) {
            bytes.append(contentsOf: new)
            if wantsOffsets { offsets.append(contentsOf: repeatElement(offset, count: new.count)) }
        }
    }

    private func normalize(_ input: UnsafeBufferPointer<UInt8>, into output: inout Output) {
        var consumed = 0
        if removesExtraWhitespace {
            while consumed < input.count, let length = lengthOfSpace(input, at: consumed) { consumed += length }
        }
        if consumed == input.count { return }
        let space = escapesWhitespace ? Self.spaceMark : [0x20]
        if addsDummyPrefix, !treatsWhitespaceAsSuffix { output.append(space, from: consumed) }

        var previousIsSpace = removesExtraWhitespace
        while consumed < input.count {
            let length = appendPrefix(
                of: input, at: consumed, space: space, previousIsSpace: &previousIsSpace, to: &output)
            consumed += length
            if !removesExtraWhitespace { previousIsSpace = false }
        }
        if removesExtraWhitespace { consumed = trimEnd(of: &output, space: space) ?? consumed }
        if addsDummyPrefix, treatsWhitespaceAsSuffix { output.append(space, from: consumed) }
        if output.wantsOffsets { output.offsets.append(consumed) }
    }

    /// Normalizes one step of the input, a rule's source or one character, and says how many bytes it was.
    @inline(__always)
    private func appendPrefix(
        of input: UnsafeBufferPointer<UInt8>, at start: Int, space: [UInt8], previousIsSpace: inout Bool,
        to output: inout Output
    ) -> Int {
        let (scalar, length) = UTF8Scalars.decode(input, at: start)
        let isBroken = scalar == UTF8Scalars.replacement && length == 1
        if isBroken || mayBeginRule(scalar), let (target, eaten) = rule(input, at: start) {
            append(target, from: start, space: space, previousIsSpace: &previousIsSpace, to: &output)
            return eaten
        }
        if scalar == 0x20 {
            if !previousIsSpace { output.append(space, from: start) }
            previousIsSpace = true
        } else if isBroken {
            output.append([0xEF, 0xBF, 0xBD], from: start)
            previousIsSpace = false
        } else {
            output.append(input[start..<start + length], from: start)
            previousIsSpace = false
        }
        return length
    }

    private func append(
        _ target: ArraySlice<UInt8>, from offset: Int, space: [UInt8], previousIsSpace: inout Bool,
        to output: inout Output
    ) {
        let kept = previousIsSpace ? target.drop { $0 == 0x20 } : target
        if kept.isEmpty { return }
        for byte in kept {
            if byte == 0x20 {
                output.append(space, from: offset)
            } else {
                output.append(CollectionOfOne(byte), from: offset)
            }
        }
        previousIsSpace = kept.last == 0x20
    }

    @inline(__always)
    private func mayBeginRule(_ scalar: UInt32) -> Bool {
        scalar >= 0x10000 || beginsRule[Int(scalar >> 6)] >> UInt64(scalar & 63) & 1 == 1
    }

    private func rule(_ input: UnsafeBufferPointer<UInt8>, at start: Int) -> (ArraySlice<UInt8>, Int)? {
        if let match = protected?.longestPrefix(of: input, from: start) {
            return (ArraySlice(input[start..<start + match.length]), match.length)
        }
        guard let charsmap, let match = charsmap.trie.longestPrefix(of: input, from: start),
            match.value < charsmap.targets.count
        else { return nil }
        return (charsmap.target(at: match.value), match.length)
    }

    /// The length of what normalizes to exactly one space here.
    private func lengthOfSpace(_ input: UnsafeBufferPointer<UInt8>, at start: Int) -> Int? {
        if let (target, length) = rule(input, at: start) { return target.elementsEqual([0x20]) ? length : nil }
        return input[start] == 0x20 ? 1 : nil
    }

    /// Cuts spaces off the end; says which input offset the end now stands for.
    private func trimEnd(of output: inout Output, space: [UInt8]) -> Int? {
        var consumed: Int?
        while output.bytes.count >= space.count, output.bytes.suffix(space.count).elementsEqual(space) {
            output.bytes.removeLast(space.count)
            if output.wantsOffsets {
                consumed = output.offsets[output.bytes.count]
                output.offsets.removeLast(space.count)
            }
        }
        return consumed
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
