import PieceModel
import UnicodeText

/// Puts a text together piece by piece.
struct Decoder {
    private let unknownSurface: [UInt8]
    private let stripsLeadingSpace: Bool
    private let stripsAllLeadingSpaces: Bool
    private var text: [UInt8] = []
    private var byteRun: [UInt8] = []
    /// Nothing was written yet, so that a space would stand at the very beginning.
    private var isAtStart = true
    /// Bytes of the text that were given out.
    private var taken = 0

    init(_ tokenizer: Tokenizer) {
        let specification = tokenizer.model.proto.normalizerSpec
        unknownSurface = Array(tokenizer.model.proto.trainerSpec.unkSurface.utf8)
        stripsLeadingSpace = specification.addDummyPrefix || specification.removeExtraWhitespaces
        stripsAllLeadingSpaces = specification.removeExtraWhitespaces
    }

    /// - Parameter isKnown: the vocabulary holds the piece; an unknown one stands for itself.
    mutating func append(_ piece: ArraySlice<UInt8>, type: Vocabulary.PieceType, isKnown: Bool) {
        if type == .byte, let byte = byteValue(ofPiece: String(decoding: piece, as: UTF8.self)) {
            byteRun.append(byte)
            return
        }
        if !byteRun.isEmpty { endByteRun() }
        if !text.isEmpty { isAtStart = false }
        if type == .control { return }
        var rest = piece
        if isAtStart, stripsLeadingSpace, rest.starts(with: Normalizer.spaceMark) {
            rest = rest.dropFirst(Normalizer.spaceMark.count)
            // Of extra spaces that are removed anyway all leading ones go, otherwise only the first.
            if !stripsAllLeadingSpaces { isAtStart = false }
        }
        if type == .unknown {
            text.append(contentsOf: isKnown ? unknownSurface[...] : piece)
        } else {
            appendPlain(rest)
        }
    }

    /// Appends a piece with its ▁ as spaces.
    private mutating func appendPlain(_ piece: ArraySlice<UInt8>) {
        let mark = Normalizer.spaceMark
        var index = piece.startIndex
        while index < piece.endIndex {
            if piece[index] == mark[0], piece[index...].starts(with: mark) {
                text.append(0x20)
                index += mark.count
            } else {
                text.append(piece[index])
                index += 1
            }
        }
    }

    private mutating func endByteRun() {
        decodeByteRun(keeping: 0)
    }

    /// Turns the run's bytes into characters, but for the last `kept` ones.
    private mutating func decodeByteRun(keeping kept: Int) {
        let end = byteRun.count - kept
        byteRun.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < end {
                let (scalar, length) = UTF8Scalars.decode(bytes, at: index)
                UTF8Scalars.append(scalar, to: &text)
                index += length
            }
        }
        byteRun.removeFirst(end)
    }

    /// The bytes of the text so far that no further piece can change, without those that an earlier call gave.
    mutating func takeCertain() -> [UInt8] {
        decodeByteRun(keeping: UTF8Scalars.openLength(byteRun))
        defer { taken = text.count }
        return Array(text[taken...])
    }

    /// The bytes of the text that were not given out yet.
    consuming func finish() -> [UInt8] {
        if !byteRun.isEmpty { endByteRun() }
        return taken == 0 ? text : Array(text[taken...])
    }
}
