import FileIO
public import GGUF
public import PieceModel
public import Tokenizers

/// The vocabulary of a GGUF file, as llama.cpp's converter writes it: `llama` for BPE models with byte fallback, `t5` for
/// unigram models. Scores are kept to the bit.
public enum GGUFVocabulary {
    /// The bytes of a file that holds the vocabulary and no tensors.
    ///
    /// - Throws: `TokenizerFormatError.inexpressible` for a model that llama.cpp would use differently.
    public static func utf8(_ tokenizer: Tokenizer, name: String) throws -> [UInt8] {
        let table = try GGUFTokenTable(tokenizer)
        let isUnigram = tokenizer.model.proto.trainerSpec.modelType == .unigram
        var entries = GGUFEntries()
        entries.add("general.architecture", isUnigram ? "t5" : "llama")
        entries.add("general.type", "model")
        entries.add("general.name", name)
        entries.add((isUnigram ? "t5" : "llama") + ".vocab_size", UInt32(table.tokens.count))
        table.add(to: &entries)
        return entries.file()
    }

    /// Why llama.cpp would use a model differently; nil if it would not.
    static func obstacle(to tokenizer: Tokenizer) -> String? {
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
        try model(of: GGUFHeader(bytes: bytes, path: path))
    }

    /// The vocabulary among the keys of a file.
    public static func model(of header: GGUFHeader) throws -> SentencePieceModel {
        try GGUFVocabularyReader(header).model()
    }
}

extension SentencePieceModel {
    /// The model without the entries at its end that only fill up a model's rows, as `GGUFTokenTable.pad` makes them.
    public var withoutPadding: SentencePieceModel {
        var copy = self
        while let last = copy.proto.pieces.last, GGUFTokenTable.isPadding(last, id: copy.proto.pieces.count - 1) {
            copy.proto.pieces.removeLast()
        }
        copy.proto.trainerSpec.vocabSize = Int32(copy.proto.pieces.count)
        return copy
    }
}
