import UnicodeText

/// The number of each character that is part of a piece: a piece's id, or beyond the ids if it is no piece itself.
struct CharacterNumbers: Sendable {
    /// By code point, below U+10000; negative: no piece holds the character.
    private var basic = [Int32](repeating: -1, count: 0x10000)
    private var other: [UInt32: Int32] = [:]
    /// The characters that are no pieces themselves: their numbers follow the ids.
    private(set) var extraCount = 0
    private let pieceCount: Int

    /// Numbers the characters of all pieces that text can become.
    init(_ pieces: SegmentablePieces) {
        pieceCount = pieces.vocabulary.count
        pieces.forEach { id, bytes in
            let (scalar, length) = UTF8Scalars.decode(bytes, at: 0)
            if length == bytes.count { self[scalar] = id }
        }
        pieces.forEach { _, bytes in
            var index = 0
            while index < bytes.count {
                let (scalar, length) = UTF8Scalars.decode(bytes, at: index)
                if self[scalar] < 0 {
                    self[scalar] = Int32(pieceCount + extraCount)
                    extraCount += 1
                }
                index += length
            }
        }
    }

    subscript(scalar: UInt32) -> Int32 {
        get { scalar < 0x10000 ? basic[Int(scalar)] : other[scalar] ?? -1 }
        set {
            if scalar < 0x10000 { basic[Int(scalar)] = newValue } else { other[scalar] = newValue }
        }
    }

    /// Calls `body` with the numbers of the characters below U+10000, by code point.
    @inline(__always)
    func withBasic<R>(_ body: (UnsafeBufferPointer<Int32>) -> R) -> R {
        basic.withUnsafeBufferPointer(body)
    }

    /// The filter of all characters that stand side by side in a piece.
    ///
    /// - Parameters:
    ///   - hash: what the filter will be asked with.
    ///   - isNew: whether a pair of characters comes for the first time.
    func pairFilter(
        _ pieces: SegmentablePieces, hash: (Int32, Int32) -> UInt64, isNew: (Int32, Int32) -> Bool
    ) -> PairFilter {
        var hashes: [UInt64] = []
        pieces.forEach { _, bytes in
            forEachPair(in: bytes) { left, right in
                if isNew(left, right) { hashes.append(hash(left, right)) }
            }
        }
        return PairFilter(hashes, bitsPerPair: 16)
    }

    /// Calls `body` with the numbers of each two characters that stand side by side in a piece.
    @inline(__always)
    private func forEachPair(in piece: UnsafeBufferPointer<UInt8>, _ body: (Int32, Int32) -> Void) {
        var left: Int32 = -1
        forEach(in: piece) { right in
            if left >= 0 { body(left, right) }
            left = right
        }
    }

    /// Whether a piece is made of two characters.
    func isPair(_ piece: UnsafeBufferPointer<UInt8>) -> Bool {
        let first = UTF8Scalars.decode(piece, at: 0).length
        return first < piece.count && first + UTF8Scalars.decode(piece, at: first).length == piece.count
    }

    /// Calls `body` with the number of each character of a piece.
    @inline(__always)
    func forEach(in piece: UnsafeBufferPointer<UInt8>, _ body: (Int32) -> Void) {
        var index = 0
        while index < piece.count {
            let (scalar, length) = UTF8Scalars.decode(piece, at: index)
            index += length
            body(self[scalar])
        }
    }

    /// Splits the scratch's text into characters; user-defined pieces in it become -2 - id.
    func split(_ scratch: EncodingScratch, userDefined: DoubleArrayTrie?) {
        let text = scratch.text.elements
        precondition(text.count < Int32.max, "a text of 2 GiB or more cannot be encoded as one")
        scratch.symbols.reserve(text.count + 1)
        scratch.starts.reserve(text.count + 1)
        let symbols = scratch.symbols.base
        let starts = scratch.starts.base
        var count = 0
        var position = 0
        // Each step writes one symbol and moves on by a byte at least: count <= text.count.
        basic.withUnsafeBufferPointer { basic in
            while position < text.count {
                starts[count] = Int32(truncatingIfNeeded: position)
                if let found = userDefined?.longestPrefix(of: text, from: position, among: Self.mostNestedPieces) {
                    symbols[count] = -2 - Int32(found.value)
                    position += found.length
                } else {
                    let (number, length) = character(in: text, at: position, basic)
                    symbols[count] = number
                    position += length
                }
                count += 1
            }
        }
        starts[count] = Int32(truncatingIfNeeded: position)
        scratch.symbols.count = count
        scratch.starts.count = count + 1
    }

    /// Of more user-defined pieces that begin at one place sentencepiece sees the shortest only.
    static let mostNestedPieces = 64

    @inline(__always)
    private func character(
        in text: UnsafeBufferPointer<UInt8>, at position: Int, _ basic: UnsafeBufferPointer<Int32>
    ) -> (number: Int32, length: Int) {
        if text[position] < 0x80 { return (basic[Int(text[position])], 1) }
        if let (scalar, length) = UTF8Scalars.threeByteCharacter(text, at: position) {
            return (basic[Int(scalar)], length)
        }
        let (scalar, length) = UTF8Scalars.decode(text, at: position)
        if scalar < 0x10000 {
            // A rule of a broken model can make text that is no UTF-8: no piece holds such a character.
            if length == 1, scalar == UTF8Scalars.replacement {
                return (-1, min(UTF8Scalars.announcedLength(text[position]), text.count - position))
            }
            return (basic[Int(scalar)], length)
        }
        return (other[scalar] ?? -1, length)
    }
}

/// The pieces that segmentation may give, or pass through on its way.
struct SegmentablePieces {
    let vocabulary: Vocabulary

    /// Calls `body` with the id and the bytes of each, in id order.
    @inline(__always)
    func forEach(_ body: (Int32, UnsafeBufferPointer<UInt8>) -> Void) {
        vocabulary.withTexts { texts in
            for index in 0..<vocabulary.count where vocabulary.isSegmentable(PieceID(index)) {
                body(Int32(index), texts.bytes(of: index))
            }
        }
    }
}

extension UTF8Scalars {
    /// The well-formed character of three bytes at a place, such as most of Chinese; nil if there is none.
    @inline(__always)
    static func threeByteCharacter(
        _ text: UnsafeBufferPointer<UInt8>, at index: Int
    ) -> (scalar: UInt32, length: Int)? {
        guard index + 3 <= text.count else { return nil }
        let first = UInt32(text[index])
        let (second, third) = (UInt32(text[index + 1]), UInt32(text[index + 2]))
        let scalar = (first & 0x0F) &<< 12 | (second & 0x3F) &<< 6 | third & 0x3F
        guard first & 0xF0 == 0xE0, (second & 0xC0) | (third & 0xC0) == 0x80, second & third & 0x80 != 0,
            scalar >= 0x800, scalar & 0xF800 != 0xD800
        else { return nil }
        return (scalar, 3)
    }
}
