import UnicodeText

/// Decodes ids as they come: each call gives the text that no later id can change, in whole characters.
///
/// All it gives, joined, is what `Tokenizer.decode` gives for all ids at once, without the part before `context`'s end:
/// a word's space and a character spelt in bytes come out right across that border. A model with rules of
/// denormalization works on whole texts, so there all text comes with `finish`.
///
///     var decoder = try StreamingDecoder(tokenizer, after: promptIDs)
///     for id in ids { print(try decoder.append(id), terminator: "") }
///     print(decoder.finish())
public struct StreamingDecoder: Sendable {
    private let tokenizer: Tokenizer
    private var decoder: Decoder

    /// - Parameter context: ids in front, whose own text is not given.
    /// - Throws: `TokenizerError.idOutOfRange`.
    public init(_ tokenizer: Tokenizer, after context: [PieceID] = []) throws(TokenizerError) {
        self.tokenizer = tokenizer
        decoder = Decoder(tokenizer)
        for id in context { try add(id) }
        _ = decoder.takeCertain()
    }

    /// The text that the id makes certain; often nothing where bytes spell a character.
    ///
    /// - Throws: `TokenizerError.idOutOfRange` for an id that the vocabulary does not hold.
    public mutating func append(_ id: PieceID) throws(TokenizerError) -> String {
        try add(id)
        if tokenizer.denormalizer != nil { return "" }
        return String(decoding: decoder.takeCertain(), as: UTF8.self)
    }

    /// The rest; bytes that make no character become U+FFFD.
    public consuming func finish() -> String {
        String(decoding: tokenizer.denormalized(decoder.finish()), as: UTF8.self)
    }

    private mutating func add(_ id: PieceID) throws(TokenizerError) {
        let vocabulary = tokenizer.vocabulary
        guard vocabulary.contains(id) else { throw .idOutOfRange(id: Int(id.rawValue), count: tokenizer.count) }
        decoder.append(vocabulary.bytes(of: id), type: vocabulary.type(of: id), isKnown: true)
    }
}
