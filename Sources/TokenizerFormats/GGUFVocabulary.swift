import FileIO
import Foundation
public import PieceModel
public import Tokenizers

/// The vocabulary of a GGUF file, as llama.cpp's converter writes it: `llama` for BPE models with byte fallback, `t5` for
/// unigram models. Scores are kept to the bit.
public enum GGUFVocabulary {
    /// The bytes of a file that holds the vocabulary and no tensors.
    ///
    /// - Throws: `TokenizerFormatError.inexpressible` for a model that llama.cpp would use differently.
    public static func utf8(_ tokenizer: Tokenizer, name: String) throws -> [UInt8] {
        let (vocabulary, proto) = (tokenizer.vocabulary, tokenizer.model.proto)
        if let reason = obstacle(to: tokenizer) {
            throw TokenizerFormatError.inexpressible(path: tokenizer.model.path, format: "GGUF", reason: reason)
        }
        let isUnigram = proto.trainerSpec.modelType == .unigram
        // The model's own pieces: to the vocabulary, a NUL that byte fallback makes idle is of another type.
        let pieces = tokenizer.model.pieces
        var writer = GGUFWriter()
        writer.add("general.architecture", isUnigram ? "t5" : "llama")
        writer.add("general.type", "model")
        writer.add("general.name", name)
        writer.add((isUnigram ? "t5" : "llama") + ".vocab_size", UInt32(vocabulary.count))
        writer.add("tokenizer.ggml.model", isUnigram ? "t5" : "llama")
        writer.add("tokenizer.ggml.pre", "default")
        writer.add("tokenizer.ggml.tokens", pieces.map { Array($0.piece.utf8)[...] })
        writer.add("tokenizer.ggml.scores", pieces.map(\.score))
        writer.add("tokenizer.ggml.token_type", pieces.map { Int32($0.type.rawValue) })
        for (key, id) in [
            ("bos", tokenizer.beginID), ("eos", tokenizer.endID), ("unknown", vocabulary.unknownID),
            ("padding", tokenizer.padID),
        ] {
            if let id { writer.add("tokenizer.ggml.\(key)_token_id", UInt32(id.rawValue)) }
        }
        writer.add("tokenizer.ggml.add_bos_token", !isUnigram && tokenizer.beginID != nil)
        writer.add("tokenizer.ggml.add_eos_token", isUnigram && tokenizer.endID != nil)
        writer.add("tokenizer.ggml.add_space_prefix", proto.normalizerSpec.addDummyPrefix)
        if isUnigram {
            writer.add("tokenizer.ggml.remove_extra_whitespaces", proto.normalizerSpec.removeExtraWhitespaces)
            if !proto.normalizerSpec.precompiledCharsmap.isEmpty {
                writer.add(
                    "tokenizer.ggml.precompiled_charsmap", bytes: Array(proto.normalizerSpec.precompiledCharsmap))
            }
        }
        return writer.file()
    }

    private static func obstacle(to tokenizer: Tokenizer) -> String? {
        let (trainer, normalizer) = (tokenizer.model.proto.trainerSpec, tokenizer.model.proto.normalizerSpec)
        if trainer.treatWhitespaceAsSuffix { return "it marks spaces at the end of words" }
        if !normalizer.escapeWhitespaces { return "it leaves spaces as they are" }
        switch trainer.modelType {
        case .bpe:
            if !tokenizer.model.hasByteFallback { return "a BPE vocabulary needs byte fallback there" }
            if !normalizer.precompiledCharsmap.isEmpty { return "it normalizes text, which BPE does not there" }
            if normalizer.removeExtraWhitespaces { return "it removes extra spaces, which BPE does not there" }
            return nil
        case .unigram: return nil
        case .word, .char: return "it has no kind for word and char models"
        }
    }

    /// Reads the vocabulary of a file, with or without tensors, as a SentencePiece model.
    public static func model(contentsOf path: String) throws -> SentencePieceModel {
        let file = try MappedFile(path)
        return try file.withUnsafeBytes { try model(bytes: $0, path: path) }
    }

    public static func model(bytes: UnsafeRawBufferPointer, path: String) throws -> SentencePieceModel {
        try GGUFVocabularyReader(GGUFFile(bytes: bytes, path: path)).model()
    }
}
