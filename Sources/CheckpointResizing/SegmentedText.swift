import Tokenizers
import UnicodeText

/// A text as the pieces that a tokenizer makes of it, and their characters.
struct SegmentedText {
    /// The pieces' ids.
    private(set) var ids: [Int32] = []
    /// The text that they spell, the spaces as ▁.
    private(set) var scalars: [UInt32] = []
    /// For each piece how many characters there are before it, and how many up to its end; a character spelt in several
    /// pieces belongs to each.
    private(set) var ranges: [Range<Int32>] = []

    init(_ document: [UInt8], _ spelling: PieceSpelling) {
        ids = document.withUnsafeBufferPointer { spelling.tokenizer.encode(utf8: $0) }.map(\.rawValue)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(document.count + document.count / 4)
        var ends: [Int] = []
        ends.reserveCapacity(ids.count)
        for id in ids {
            spelling.append(id, to: &bytes)
            ends.append(bytes.count)
        }
        // For each byte the number of the character that it is of.
        var places = [Int32](repeating: 0, count: bytes.count)
        bytes.withUnsafeBufferPointer { text in
            var index = 0
            while index < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: index)
                for byte in index..<index + length { places[byte] = Int32(scalars.count) }
                scalars.append(scalar)
                index += length
            }
        }
        var start = 0
        ranges.reserveCapacity(ids.count)
        for end in ends {
            // A piece may spell nothing: it then stands nowhere.
            ranges.append(end > start ? places[start]..<places[end - 1] + 1 : 0..<0)
            start = end
        }
    }
}

/// What the pieces of a tokenizer spell.
struct PieceSpelling: Sendable {
    let tokenizer: Tokenizer
    /// For each id the byte that its piece is; nil for other pieces.
    private let byteOfID: [UInt8?]

    init(_ tokenizer: Tokenizer) {
        self.tokenizer = tokenizer
        var bytes = [UInt8?](repeating: nil, count: tokenizer.count)
        for (byte, id) in tokenizer.vocabulary.byteIDs.enumerated() where tokenizer.vocabulary.contains(id) {
            bytes[Int(id.rawValue)] = UInt8(byte)
        }
        byteOfID = bytes
    }

    func append(_ id: Int32, to bytes: inout [UInt8]) {
        let piece = PieceID(rawValue: id)
        if piece == tokenizer.vocabulary.unknownID {
            UTF8Scalars.append(UTF8Scalars.replacement, to: &bytes)
        } else if let byte = byteOfID[Int(id)] {
            bytes.append(byte)
        } else {
            bytes += tokenizer.vocabulary.bytes(of: piece)
        }
    }
}
