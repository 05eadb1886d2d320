public import Foundation
public import PieceModel

/// A SentencePiece tokenizer: text to piece ids and back, as sentencepiece 0.2.3 does it with the same model.
///
///     let tokenizer = try Tokenizer(contentsOf: "tokenizer.model")
///     let ids = tokenizer.encode("你好")
///     let text = try tokenizer.decode(ids)
///
/// A tokenizer is immutable and may be used by any number of threads at once; copies share their tables.
public struct Tokenizer: Sendable {
    public let vocabulary: Vocabulary
    public let model: SentencePieceModel
    let normalizer: Normalizer
    let denormalizer: Normalizer?
    let segmenter: Segmenter
    let scratches = ScratchPool()

    enum Segmenter: Sendable {
        case bpe(BPESegmenter)
        case unigram(UnigramSegmenter)
        case character(CharacterSegmenter)
        case word(WordSegmenter)
    }

    /// Reads a `.model` file.
    ///
    /// - Throws: `FileError` if it cannot be read; `PieceModelError` for a model that sentencepiece 0.2.3 refuses.
    public init(contentsOf path: String) throws {
        try self.init(validated: SentencePieceModel(contentsOf: path))
    }

    /// Reads a `.model` file.
    public init(contentsOf url: URL) throws {
        try self.init(contentsOf: url.path)
    }

    /// - Throws: `PieceModelError` for a model that sentencepiece 0.2.3 refuses.
    public init(_ model: SentencePieceModel) throws(PieceModelError) {
        try model.validate()
        try self.init(validated: model)
    }

    private init(validated model: SentencePieceModel) throws(PieceModelError) {
        let vocabulary = Vocabulary(model)
        self.model = model
        self.vocabulary = vocabulary
        normalizer = try Normalizer(
            specification: model.proto.normalizerSpec,
            treatsWhitespaceAsSuffix: model.proto.trainerSpec.treatWhitespaceAsSuffix,
            protecting: vocabulary.userDefined.map { Array(vocabulary.bytes(of: $0)) }, path: model.path)
        // Without rules a denormalizer is not used, whatever else its specification says.
        let hasDenormalizer =
            model.proto.hasDenormalizerSpec && !model.proto.denormalizerSpec.precompiledCharsmap.isEmpty
        denormalizer =
            hasDenormalizer
            ? try Normalizer(
                specification: model.proto.denormalizerSpec, treatsWhitespaceAsSuffix: false, path: model.path) : nil
        let hasPieces = (0..<vocabulary.count).contains { vocabulary.isSegmentable(PieceID($0)) }
        if model.proto.trainerSpec.modelType == .unigram, !hasPieces { throw .noPieces(path: model.path) }
        segmenter =
            switch model.proto.trainerSpec.modelType {
            case .bpe: .bpe(try BPESegmenter(vocabulary, path: model.path))
            case .unigram: .unigram(UnigramSegmenter(vocabulary))
            case .word: .word(WordSegmenter(vocabulary))
            case .char: .character(CharacterSegmenter(vocabulary))
            }
    }

    /// The number of entries.
    public var count: Int { vocabulary.count }

    /// The id of a control piece by the name that the model gives it; nil if it has none.
    private func controlID(_ piece: String) -> PieceID? {
        vocabulary.id(of: piece).flatMap { vocabulary.type(of: $0) == .control ? $0 : nil }
    }

    /// `<s>`, which begins a text.
    public var beginID: PieceID? { controlID(named(model.proto.trainerSpec.bosPiece, or: "<s>")) }
    /// `</s>`, which ends a text.
    public var endID: PieceID? { controlID(named(model.proto.trainerSpec.eosPiece, or: "</s>")) }
    public var padID: PieceID? { controlID(named(model.proto.trainerSpec.padPiece, or: "<pad>")) }
    /// How unknown text is written where `EncodingOptions.namesUnknown` asks for it: `<unk>`.
    var unknownPiece: String { named(model.proto.trainerSpec.unkPiece, or: "<unk>") }

    /// An empty name in a model stands for the usual one.
    private func named(_ name: String, or usual: String) -> String { name.isEmpty ? usual : name }
}
