public import GGUF
import PieceModel
public import Tokenizers

/// The entries of a vocabulary as a GGUF file holds them: those of a tokenizer, and others that a model has beside them.
public struct GGUFTokenTable: Sendable {
    /// The bytes of each entry, by id.
    public private(set) var tokens: [ArraySlice<UInt8>]
    public private(set) var scores: [Float]
    /// The numbers of `SentencePieceModel.Piece.TypeEnum`.
    public private(set) var types: [Int32]
    /// The ids with a role of their own.
    public var beginID: Int?
    public var endID: Int?
    public var unknownID: Int?
    public var padID: Int?
    /// Whether a text is to begin and to end with these ids.
    public var addsBegin: Bool
    public var addsEnd: Bool
    /// Whether a text is to begin with a space.
    public var addsSpacePrefix: Bool
    private let tokenizer: Tokenizer

    /// - Throws: `TokenizerFormatError.inexpressible` for a model that llama.cpp would use differently.
    public init(_ tokenizer: Tokenizer) throws(TokenizerFormatError) {
        if let reason = GGUFVocabulary.obstacle(to: tokenizer) {
            throw .inexpressible(path: tokenizer.model.path, format: "GGUF", reason: reason)
        }
        // The model's own pieces: to the vocabulary, a NUL that byte fallback makes idle is of another type.
        let pieces = tokenizer.model.pieces
        tokens = pieces.map { Array($0.piece.utf8)[...] }
        scores = pieces.map(\.score)
        types = pieces.map { Int32($0.type.rawValue) }
        func number(_ id: PieceID?) -> Int? { id.map { Int($0.rawValue) } }
        (beginID, endID) = (number(tokenizer.beginID), number(tokenizer.endID))
        (unknownID, padID) = (number(tokenizer.vocabulary.unknownID), number(tokenizer.padID))
        let isUnigram = tokenizer.model.proto.trainerSpec.modelType == .unigram
        (addsBegin, addsEnd) = (!isUnigram && beginID != nil, isUnigram && endID != nil)
        addsSpacePrefix = tokenizer.model.proto.normalizerSpec.addDummyPrefix
        self.tokenizer = tokenizer
    }

    /// The id of an entry with this text.
    public func id(of text: String) -> Int? {
        tokens.firstIndex { $0.elementsEqual(text.utf8) }
    }

    private static let addedScore: Float = -1000
    private static let paddingScore: Float = -10_000

    /// Puts a token of the model in place of an entry, with the score that llama.cpp's converter gives such ones.
    ///
    /// - Precondition: `id` is that of an entry.
    public mutating func setAdded(_ text: String, at id: Int, isSpecial: Bool) {
        tokens[id] = Array(text.utf8)[...]
        scores[id] = Self.addedScore
        types[id] = Int32((isSpecial ? SentencePieceModel.Piece.TypeEnum.control : .userDefined).rawValue)
    }

    /// Fills up with entries that nothing uses, `[PAD49953]` and so on, as llama.cpp's converter does for ids that a
    /// model has rows for and its tokenizer lacks.
    public mutating func pad(to count: Int) {
        for id in tokens.count..<max(count, tokens.count) {
            tokens.append(Array(Self.paddingText(id).utf8)[...])
            scores.append(Self.paddingScore)
            types.append(Int32(SentencePieceModel.Piece.TypeEnum.unused.rawValue))
        }
    }

    /// Whether the entry of an id is one that `pad` makes.
    static func isPadding(_ piece: SentencePieceModel.Piece, id: Int) -> Bool {
        piece.type == .unused && piece.score == paddingScore && piece.piece == paddingText(id)
    }

    private static func paddingText(_ id: Int) -> String { "[PAD\(id)]" }

    /// Writes the keys under `tokenizer.ggml`.
    public func add(to entries: inout GGUFEntries) {
        let isUnigram = tokenizer.model.proto.trainerSpec.modelType == .unigram
        entries.add("tokenizer.ggml.model", isUnigram ? "t5" : "llama")
        entries.add("tokenizer.ggml.pre", "default")
        entries.add("tokenizer.ggml.tokens", tokens)
        entries.add("tokenizer.ggml.scores", scores)
        entries.add("tokenizer.ggml.token_type", types)
        for (key, id) in [("bos", beginID), ("eos", endID), ("unknown", unknownID), ("padding", padID)] {
            if let id { entries.add("tokenizer.ggml.\(key)_token_id", UInt32(id)) }
        }
        entries.add("tokenizer.ggml.add_bos_token", addsBegin)
        entries.add("tokenizer.ggml.add_eos_token", addsEnd)
        entries.add("tokenizer.ggml.add_space_prefix", addsSpacePrefix)
        if isUnigram { addNormalizer(to: &entries) }
    }

    private func addNormalizer(to entries: inout GGUFEntries) {
        let specification = tokenizer.model.proto.normalizerSpec
        entries.add("tokenizer.ggml.remove_extra_whitespaces", specification.removeExtraWhitespaces)
        if !specification.precompiledCharsmap.isEmpty {
            entries.add("tokenizer.ggml.precompiled_charsmap", bytes: Array(specification.precompiledCharsmap))
        }
    }
}
