import UnicodeText

extension Normalizer {
    /// Whether all that is done is to mark spaces: no rules, no protected pieces, no spaces removed, as for LLaMA.
    var onlyMarksSpaces: Bool { charsmap == nil && protected == nil && !removesExtraWhitespace }

    /// Normalizes into the scratch's text and splits it into numbered characters in the same pass.
    ///
    /// For a normalizer that only marks spaces, and a model without user-defined pieces.
    func normalizeAndSplit(
        _ input: UnsafeBufferPointer<UInt8>, into scratch: EncodingScratch, _ characters: CharacterNumbers
    ) {
        precondition(input.count <= Self.longestInput, "a text of 512 MiB or more cannot be encoded as one")
        (scratch.text.count, scratch.offsets.count) = (0, 0)
        (scratch.symbols.count, scratch.starts.count) = (0, 0)
        if input.isEmpty { return }
        // A byte becomes three at most; a space more for the prefix or suffix, four bytes that are written at once.
        scratch.text.reserve(3 * input.count + 8)
        scratch.symbols.reserve(input.count + 2)
        scratch.starts.reserve(input.count + 3)
        let space = Mark(escapesWhitespace ? 0x2581 : 0x20, characters)
        characters.withBasic { basic in
            var sink = Sink(scratch)
            if addsDummyPrefix, !treatsWhitespaceAsSuffix { sink.append(space) }
            var position = 0
            while position < input.count {
                position += step(input, position, basic, characters, space, &sink)
            }
            if addsDummyPrefix, treatsWhitespaceAsSuffix { sink.append(space) }
            sink.commit(to: scratch)
        }
    }

    /// Takes over one character; says how many bytes of the input it was.
    @inline(__always)
    private func step(
        _ input: UnsafeBufferPointer<UInt8>, _ position: Int, _ basic: UnsafeBufferPointer<Int32>,
        _ characters: CharacterNumbers, _ space: Mark, _ sink: inout Sink
    ) -> Int {
        let first = input[position]
        if first < 0x80 {
            if first == 0x20 { sink.append(space) } else { sink.append(UInt32(first), 1, basic[Int(first)]) }
            return 1
        }
        if position + 4 <= input.count, let (scalar, _) = UTF8Scalars.threeByteCharacter(input, at: position) {
            // Four bytes are there to be read.
            let word = UnsafeRawPointer(input.baseAddress.unsafelyUnwrapped + position).loadUnaligned(as: UInt32.self)
            sink.append(word, 3, basic[Int(scalar)])
            return 3
        }
        let (scalar, length) = UTF8Scalars.decode(input, at: position)
        sink.append(Mark(scalar, characters))
        return length
    }
}

/// A character's bytes, the first in the lowest bits, how many they are, and its number.
private struct Mark {
    let bytes: UInt32
    let length: Int
    let number: Int32

    @inline(__always)
    init(_ scalar: UInt32, _ characters: CharacterNumbers) {
        number = characters[scalar]
        let last = 0x80 | scalar & 0x3F
        let third = 0x80 | scalar >> 6 & 0x3F
        let second = 0x80 | scalar >> 12 & 0x3F
        switch scalar {
        case 0..<0x80: (bytes, length) = (scalar, 1)
        case 0x80..<0x800: (bytes, length) = (0xC0 | scalar >> 6 | last << 8, 2)
        case 0x800..<0x10000: (bytes, length) = (0xE0 | scalar >> 12 | third << 8 | last << 16, 3)
        default: (bytes, length) = (0xF0 | scalar >> 18 | second << 8 | third << 16 | last << 24, 4)
        }
    }
}

/// Writes characters into a scratch with room for all of them and four bytes more.
private struct Sink {
    private let text: UnsafeMutablePointer<UInt8>
    private let symbols: UnsafeMutablePointer<Int32>
    private let starts: UnsafeMutablePointer<Int32>
    private var textCount = 0
    private var count = 0

    init(_ scratch: EncodingScratch) {
        (text, symbols, starts) = (scratch.text.base, scratch.symbols.base, scratch.starts.base)
    }

    @inline(__always)
    mutating func append(_ bytes: UInt32, _ length: Int, _ number: Int32) {
        UnsafeMutableRawPointer(text + textCount).storeBytes(of: bytes.littleEndian, as: UInt32.self)
        symbols[count] = number
        starts[count] = Int32(truncatingIfNeeded: textCount)
        textCount &+= length
        count &+= 1
    }

    @inline(__always)
    mutating func append(_ mark: Mark) {
        append(mark.bytes, mark.length, mark.number)
    }

    func commit(to scratch: EncodingScratch) {
        starts[count] = Int32(truncatingIfNeeded: textCount)
        (scratch.text.count, scratch.symbols.count, scratch.starts.count) = (textCount, count, count + 1)
    }
}
