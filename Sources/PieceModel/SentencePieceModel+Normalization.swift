import Foundation

extension SentencePieceModel {
    /// The model with a normalizer that changes nothing and puts no space before a text: a tokenizer of it shows what the
    /// text of a piece alone is cut into.
    public var withoutNormalization: SentencePieceModel {
        var bare = self
        bare.proto.normalizerSpec.precompiledCharsmap = Data()
        bare.proto.normalizerSpec.addDummyPrefix = false
        bare.proto.normalizerSpec.removeExtraWhitespaces = false
        return bare
    }
}
