public import PieceModel

/// A SentencePiece tokenizer: text to piece ids and back, as sentencepiece 0.2.3 does it with the same model.
///
///     let tokenizer = try Tokenizer(contentsOf: "tokenizer.model")
///     let ids = tokenizer.encode("你好")
///     let text = tokenizer.decode(ids)
public struct Tokenizer: Sendable {
    public let vocabulary: Vocabulary
    public let model: SentencePieceModel
    let normalizer: Normalizer
    let segmenter: Segmenter

    enum Segmenter: Sendable {
        case bpe(BPESegmenter)
        case unigram(UnigramSegmenter)
    }

    public init(contentsOf path: String) throws {
        try self.init(SentencePieceModel(contentsOf: path))
    }

    /// - Throws: `PieceModelError` if the model is of a type that is not supported or its charsmap is broken.
    public init(_ model: SentencePieceModel) throws(PieceModelError) {
        self.model = model
        vocabulary = Vocabulary(model)
        normalizer = try Normalizer(
            specification: model.proto.normalizerSpec,
            treatsWhitespaceAsSuffix: model.proto.trainerSpec.treatWhitespaceAsSuffix,
            protecting: vocabulary.userDefined.map { [vocabulary] in Array(vocabulary.bytes(of: $0)) },
            path: model.path)
        switch model.proto.trainerSpec.modelType {
        case .bpe: segmenter = .bpe(BPESegmenter(vocabulary))
        case .unigram: segmenter = .unigram(UnigramSegmenter(vocabulary))
        case .word: throw .unsupportedType(path: model.path, type: "word")
        case .char: throw .unsupportedType(path: model.path, type: "char")
        }
    }

    /// The number of entries.
    public var count: Int { vocabulary.count }

    /// The id of a control piece by the name that the model gives it; nil if it has none.
    private func controlID(_ piece: String) -> PieceID? {
        vocabulary.id(of: piece).flatMap { vocabulary.type(of: $0) == .control ? $0 : nil }
    }

    /// `<s>`, which begins a text.
    public var beginID: PieceID? { controlID(model.proto.trainerSpec.bosPiece) }
    /// `</s>`, which ends a text.
    public var endID: PieceID? { controlID(model.proto.trainerSpec.eosPiece) }
    public var padID: PieceID? { controlID(model.proto.trainerSpec.padPiece) }
}
