import UnicodeText

extension Normalizer {
    /// Normalizes into the scratch's text.
    func normalize(_ input: UnsafeBufferPointer<UInt8>, into scratch: EncodingScratch) {
        run(input, into: scratch, wantsOffsets: false)
    }

    /// Normalizes into the scratch's text and offsets; empty text has no offsets.
    func normalizeWithOffsets(_ input: UnsafeBufferPointer<UInt8>, into scratch: EncodingScratch) {
        run(input, into: scratch, wantsOffsets: true)
    }

    @inline(__always)
    private func run(_ input: UnsafeBufferPointer<UInt8>, into scratch: EncodingScratch, wantsOffsets: Bool) {
        precondition(input.count <= Self.longestInput, "a text of 512 MiB or more cannot be encoded as one")
        scratch.text.count = 0
        scratch.offsets.count = 0
        var consumed = 0
        if removesExtraWhitespace {
            while consumed < input.count, let length = lengthOfSpace(input, at: consumed) { consumed += length }
        }
        if consumed == input.count { return }
        let space = escapesWhitespace ? Self.spaceMark : [0x20]
        if addsDummyPrefix, !treatsWhitespaceAsSuffix { scratch.append(space, from: consumed, wantsOffsets) }

        var previousIsSpace = removesExtraWhitespace
        while consumed < input.count {
            copyPlain(input, &consumed, &previousIsSpace, into: scratch, wantsOffsets: wantsOffsets)
            if consumed == input.count { break }
            consumed += appendCarefully(
                input, at: consumed, space, previousIsSpace: &previousIsSpace, to: scratch, wantsOffsets)
            if !removesExtraWhitespace { previousIsSpace = false }
        }
        if removesExtraWhitespace { consumed = trimEnd(of: scratch, space, wantsOffsets) ?? consumed }
        if addsDummyPrefix, treatsWhitespaceAsSuffix { scratch.append(space, from: consumed, wantsOffsets) }
        if wantsOffsets { scratch.offsets.append(Int32(truncatingIfNeeded: consumed)) }
    }

    /// Bytes of the longest text that is encoded as one: three times as many, and their offsets, fit 32 bits.
    package static let longestInput = 1 << 29 - 1

    /// Copies characters that stay as they are, up to one that needs care or the end.
    @inline(__always)
    private func copyPlain(
        _ input: UnsafeBufferPointer<UInt8>, _ consumed: inout Int, _ previousIsSpace: inout Bool,
        into scratch: EncodingScratch, wantsOffsets: Bool
    ) {
        let start = consumed
        // Four bytes are written at once: room for what is left and three more.
        scratch.text.reserve(scratch.text.count + input.count - start + 4)
        let output = scratch.text.base + scratch.text.count
        var position = start
        needsCare.withUnsafeBufferPointer { needsCare in
            while position < input.count {
                let length = plainLength(input, at: position, needsCare)
                if length == 0 { break }
                copyCharacter(input, at: position, length, to: output + (position - start))
                position += length
            }
        }
        if position == start { return }
        scratch.text.count += position - start
        previousIsSpace = false
        consumed = position
        if wantsOffsets { appendOffsets(of: input, start..<position, to: scratch) }
    }

    /// The length of the character at a position if it is whole and stays as it is, or 0.
    @inline(__always)
    private func plainLength(
        _ input: UnsafeBufferPointer<UInt8>, at position: Int, _ needsCare: UnsafeBufferPointer<UInt64>
    ) -> Int {
        let first = input[position]
        if first < 0x80 { return needsCare[Int(first &>> 6)] &>> UInt64(first & 63) & 1 == 1 ? 0 : 1 }
        let (scalar, length) =
            UTF8Scalars.threeByteCharacter(input, at: position) ?? UTF8Scalars.decode(input, at: position)
        // A broken byte: the only way to U+FFFD in one byte.
        if length == 1, scalar == UTF8Scalars.replacement { return 0 }
        if scalar >= 0x10000 { return charsmap == nil && protected == nil ? length : 0 }
        return needsCare[Int(scalar &>> 6)] &>> UInt64(scalar & 63) & 1 == 1 ? 0 : length
    }

    /// Copies a character; past it up to three bytes of `output` are overwritten with anything.
    @inline(__always)
    private func copyCharacter(
        _ input: UnsafeBufferPointer<UInt8>, at position: Int, _ length: Int, to output: UnsafeMutablePointer<UInt8>
    ) {
        if position + 4 <= input.count {
            let word = UnsafeRawPointer(input.baseAddress.unsafelyUnwrapped + position).loadUnaligned(as: UInt32.self)
            UnsafeMutableRawPointer(output).storeBytes(of: word, as: UInt32.self)
        } else {
            for index in 0..<length { output[index] = input[position + index] }
        }
    }

    /// All bytes of a character stand for its first.
    private func appendOffsets(
        of input: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, to scratch: EncodingScratch
    ) {
        scratch.offsets.reserve(scratch.offsets.count + range.count)
        var first = range.lowerBound
        for index in range {
            // What was copied is whole UTF-8: a byte that continues nothing begins a character.
            if input[index] & 0xC0 != 0x80 { first = index }
            scratch.offsets.append(Int32(truncatingIfNeeded: first))
        }
    }

    /// Normalizes one step of the input, a rule's source or one character, and says how many bytes it was.
    private func appendCarefully(
        _ input: UnsafeBufferPointer<UInt8>, at start: Int, _ space: [UInt8], previousIsSpace: inout Bool,
        to scratch: EncodingScratch, _ wantsOffsets: Bool
    ) -> Int {
        if let (target, eaten) = rule(input, at: start) {
            append(target, from: start, space, previousIsSpace: &previousIsSpace, to: scratch, wantsOffsets)
            return eaten
        }
        let (scalar, length) = UTF8Scalars.decode(input, at: start)
        if scalar == 0x20 {
            if !previousIsSpace { scratch.append(space, from: start, wantsOffsets) }
            previousIsSpace = true
            return length
        }
        previousIsSpace = false
        if scalar == UTF8Scalars.replacement, length == 1 {
            scratch.append([0xEF, 0xBF, 0xBD], from: start, wantsOffsets)
        } else {
            scratch.append(input[start..<start + length], from: start, wantsOffsets)
        }
        return length
    }

    private func append(
        _ target: ArraySlice<UInt8>, from offset: Int, _ space: [UInt8], previousIsSpace: inout Bool,
        to scratch: EncodingScratch, _ wantsOffsets: Bool
    ) {
        let kept = previousIsSpace ? target.drop { $0 == 0x20 } : target
        if kept.isEmpty { return }
        for byte in kept {
            if byte == 0x20 {
                scratch.append(space, from: offset, wantsOffsets)
            } else {
                scratch.append(CollectionOfOne(byte), from: offset, wantsOffsets)
            }
        }
        previousIsSpace = kept.last == 0x20
    }

    /// More rules that begin at one place than sentencepiece looks at.
    private static let mostNestedRules = 32

    private func rule(_ input: UnsafeBufferPointer<UInt8>, at start: Int) -> (ArraySlice<UInt8>, Int)? {
        let nested = CharacterNumbers.mostNestedPieces
        if let match = protected?.longestPrefix(of: input, from: start, among: nested) {
            return (ArraySlice(input[start..<start + match.length]), match.length)
        }
        guard let charsmap,
            let match = charsmap.trie.longestPrefix(of: input, from: start, among: Self.mostNestedRules),
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
    private func trimEnd(of scratch: EncodingScratch, _ space: [UInt8], _ wantsOffsets: Bool) -> Int? {
        var consumed: Int?
        while scratch.text.count >= space.count, scratch.text.elements.suffix(space.count).elementsEqual(space) {
            scratch.text.count -= space.count
            if wantsOffsets {
                consumed = Int(scratch.offsets.base[scratch.text.count])
                scratch.offsets.count = scratch.text.count
            }
        }
        return consumed
    }
}

extension EncodingScratch {
    /// Adds bytes to the text that all stand for one place of the input.
    fileprivate func append(_ bytes: some Collection<UInt8>, from offset: Int, _ wantsOffsets: Bool) {
        text.reserve(text.count + bytes.count)
        for byte in bytes { text.append(byte) }
        if wantsOffsets {
            for _ in 0..<bytes.count { offsets.append(Int32(truncatingIfNeeded: offset)) }
        }
    }
}
