import PieceModel
import UnicodeText

extension Tokenizer {
    /// The text of ids; bytes that make no UTF-8 become U+FFFD.
    ///
    /// - Throws: `TokenizerError.idOutOfRange` for an id that the vocabulary does not hold.
    public func decode(_ ids: [PieceID]) throws(TokenizerError) -> String {
        var decoder = Decoder(self)
        for id in ids {
            guard vocabulary.contains(id) else { throw .idOutOfRange(id: Int(id.rawValue), count: count) }
            decoder.append(vocabulary.bytes(of: id), lookedUpAs: vocabulary.id(of: vocabulary.bytes(of: id)))
        }
        return decoder.finish()
    }

    /// The text of pieces; one that the vocabulary does not hold stands for itself.
    public func decode(pieces: [String]) -> String {
        var decoder = Decoder(self)
        for piece in pieces { decoder.append(ArraySlice(piece.utf8), lookedUpAs: vocabulary.id(of: piece)) }
        return decoder.finish()
    }
}

/// Puts a text together piece by piece.
private struct Decoder {
    private let vocabulary: Vocabulary
    private let unknownSurface: [UInt8]
    private let stripsLeadingSpace: Bool
    private let stripsAllLeadingSpaces: Bool
    private var text: [UInt8] = []
    private var byteRun: [UInt8] = []
    private var isAtStart = true
    private var hasStrippedSpace = false

    init(_ tokenizer: Tokenizer) {
        let specification = tokenizer.model.proto.normalizerSpec
        vocabulary = tokenizer.vocabulary
        unknownSurface = Array(tokenizer.model.proto.trainerSpec.unkSurface.utf8)
        stripsLeadingSpace = specification.addDummyPrefix || specification.removeExtraWhitespaces
        stripsAllLeadingSpaces = specification.removeExtraWhitespaces
    }

    mutating func append(_ piece: ArraySlice<UInt8>, lookedUpAs id: PieceID?) {
        let type = id.map { vocabulary.type(of: $0) } ?? .unknown
        if type == .byte, let byte = byteValue(ofPiece: String(decoding: piece, as: UTF8.self)) {
            byteRun.append(byte)
            return
        }
        endByteRun()
        if hasStrippedSpace || !text.isEmpty { isAtStart = false }
        hasStrippedSpace = false
        switch type {
        case .control: return
        case .unknown: text.append(contentsOf: id == nil ? Array(piece) : unknownSurface)
        default: appendPlain(piece)
        }
    }

    private mutating func appendPlain(_ piece: ArraySlice<UInt8>) {
        var rest = piece
        if isAtStart, stripsLeadingSpace, rest.starts(with: Normalizer.spaceMark) {
            rest = rest.dropFirst(Normalizer.spaceMark.count)
            hasStrippedSpace = !stripsAllLeadingSpaces
        }
        while let first = rest.first {
            if first == Normalizer.spaceMark[0], rest.starts(with: Normalizer.spaceMark) {
                text.append(0x20)
                rest = rest.dropFirst(Normalizer.spaceMark.count)
            } else {
                text.append(first)
                rest = rest.dropFirst()
            }
        }
    }

    private mutating func endByteRun() {
        if byteRun.isEmpty { return }
        byteRun.withUnsafeBufferPointer { bytes in
            var index = 0
            while index < bytes.count {
                let (scalar, length) = UTF8Scalars.decode(bytes, at: index)
                UTF8Scalars.append(scalar, to: &text)
                index += length
            }
        }
        byteRun.removeAll(keepingCapacity: true)
    }

    mutating func finish() -> String {
        endByteRun()
        return String(decoding: text, as: UTF8.self)
    }
}
