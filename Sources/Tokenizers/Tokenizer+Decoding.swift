import PieceModel

extension Tokenizer {
    /// The text of ids; bytes that make no UTF-8 become U+FFFD.
    ///
    /// - Throws: `TokenizerError.idOutOfRange` for an id that the vocabulary does not hold.
    public func decode(_ ids: [PieceID]) throws(TokenizerError) -> String {
        String(decoding: try decodeUTF8(ids), as: UTF8.self)
    }

    /// The bytes of ids' text.
    package func decodeUTF8(_ ids: [PieceID]) throws(TokenizerError) -> [UInt8] {
        var decoder = Decoder(self)
        for id in ids {
            guard vocabulary.contains(id) else { throw .idOutOfRange(id: Int(id.rawValue), count: count) }
            decoder.append(vocabulary.bytes(of: id), type: vocabulary.type(of: id), isKnown: true)
        }
        return denormalized(decoder.finish())
    }

    /// The text of pieces; one that the vocabulary does not hold stands for itself.
    public func decode(pieces: [String]) -> String {
        String(decoding: decodeUTF8(pieces: pieces.map { ArraySlice($0.utf8) }), as: UTF8.self)
    }

    /// The bytes of pieces' text.
    package func decodeUTF8(pieces: [ArraySlice<UInt8>]) -> [UInt8] {
        var decoder = Decoder(self)
        for piece in pieces {
            let id = vocabulary.id(of: piece)
            let type = id.map { vocabulary.type(of: $0) } ?? .unknown
            decoder.append(piece, type: type, isKnown: id != nil)
        }
        return denormalized(decoder.finish())
    }

    /// A decoded text after the model's rules for it, if there are some.
    func denormalized(_ text: [UInt8]) -> [UInt8] {
        guard let denormalizer, !text.isEmpty else { return text }
        return text.withUnsafeBufferPointer { denormalizer.normalize($0) }
    }
}
