import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

private func model(
    _ pieces: [(String, Float)], _ type: Sentencepiece_TrainerSpec.ModelType = .bpe
) -> SentencePieceModel {
    var proto = Sentencepiece_ModelProto()
    for (index, (text, score)) in ([("<unk>", 0)] + pieces).enumerated() {
        proto.append(text, score, index == 0 ? .unknown : .normal)
    }
    proto.trainerSpec.modelType = type
    proto.normalizerSpec.removeExtraWhitespaces = false
    return SentencePieceModel(proto: proto, path: "m.model")
}

/// A file's contents after it has been written as one format and read as it.
private func through(_ format: TokenizerFileFormat, _ source: SentencePieceModel) throws -> TokenizerFile {
    try withTemporaryDirectory { directory in
        try writeFile(directory + "/m.model", source.serialized())
        let file = try TokenizerFile(contentsOf: directory + "/m.model")
        let path = directory + "/t." + format.rawValue
        try writeFile(path, file.contents(as: format, name: "t"))
        return try TokenizerFile(contentsOf: path)
    }
}

@Suite struct TokenizerFileTests {
    private let distinct = model([("▁", -9), ("a", -8), ("b", -7), ("c", -6), ("ab", -1), ("bc", -2), ("abc", -3)])

    @Test func `the name's ending says the format`() {
        let formats = ["a.model", "b.JSON", "c.gguf", "d.vocab", "e", "f.d"].map { TokenizerFileFormat(path: $0) }
        #expect(formats == [.model, .json, .gguf, .vocab, .directory, .directory])
    }

    @Test func `a model with distinct scores encodes the same after a tokenizer.json`() throws {
        let back = try through(.json, distinct)
        let tokenizer = try Tokenizer(distinct)
        for text in ["abc", "ab c bc", "  cab", "aabbcc abcabc", ""] {
            #expect(back.tokenizer.encode(text) == tokenizer.encode(text), "\(text)")
            #expect(back.original?.encode(text) == tokenizer.encode(text), "\(text)")
        }
        #expect(back.tokenizer.model.pieces.map(\.score) == [0, -3, -4, -5, -6, 0, -1, -2])
    }

    /// Equal scores: SentencePiece merges leftmost first, a ranked list cannot.
    @Test func `ties are counted`() throws {
        let ties = model([("▁", -9), ("a", -8), ("b", -8), ("c", -8), ("ab", 0), ("bc", 0), ("ca", 0)])
        try withTemporaryDirectory { directory in
            let path = directory + "/ties.model"
            try writeFile(path, ties.serialized())
            let file = try TokenizerFile(contentsOf: path)
            let text = directory + "/text"
            try writeFile(text, Array("abc\nbca\ncab\naaa\n".utf8))
            let written = try file.contents(as: .json, name: "t")
            let comparison = try #require(try file.comparison(with: written, as: .json, onLinesOf: [text]))
            #expect(comparison.lines == 4)
            #expect(comparison.differing == 1)
            let probe = try #require(try file.comparison(with: written, as: .json, onLinesOf: []))
            #expect(probe.lines > 20 && probe.differing > 0)
        }
    }

    @Test func `unigram scores survive a tokenizer.json`() throws {
        let source = model([("▁", -2.1), ("a", -3.3), ("b", -0.1), ("ab", -3.2), ("▁a", -4.7)], .unigram)
        let back = try through(.json, source)
        #expect(back.tokenizer.model.pieces.map(\.score) == source.pieces.map(\.score))
        #expect(back.tokenizer.model.proto.trainerSpec.modelType == .unigram)
        for text in ["ab", "a b ab", "bbb"] {
            #expect(try back.original?.encode(text) == Tokenizer(source).encode(text))
        }
    }

    @Test func `what a model cannot say of a tokenizer.json is said aloud`() throws {
        let scattered = try huggingFace(
            bpe(
                vocabulary: #""▁": 0, "a": 1, "aa": 2, "aaa": 3, "b": 4, "ab": 5, "<unk>": 6"#,
                merges: #""a a", "a aa", "a b", "aa a""#, settings: "\"unk_token\": \"<unk>\",",
                rest: #""normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},"#))
        let conversion = try scattered.sentencePieceModel()
        #expect(
            conversion.differences == ["1 pieces are made by merges of different rank there, and have one score here"])
    }

    @Test(arguments: [
        (#""normalizer": {"type": "NFKC"},"#, "the normalizer is NFKC"), ("", "spaces do not become ▁"),
        (#""normalizer": {"type": "Prepend", "prepend": "x"},"#, "replaces or prepends other text than spaces"),
        (#""pre_tokenizer": {"type": "Metaspace", "replacement": "_"},"#, "by another character than ▁"),
    ])
    func `a preparation that is not SentencePiece's is refused`(_ rest: String, _ says: String) throws {
        let tokenizer = try huggingFace(
            bpe(vocabulary: #""a": 0, "<unk>": 1"#, merges: "", settings: "\"unk_token\": \"<unk>\",", rest: rest))
        let error = #expect(throws: TokenizerFormatError.self) { _ = try tokenizer.sentencePieceModel() }
        #expect(error?.description.contains(says) == true)
    }

    @Test func `halves that hold a space are written as pairs`() throws {
        let source = model([("▁", -9), ("a b", -1), ("c", -2), ("a bc", -3)])
        let json = try TokenizerJSON(checking: Tokenizer(source)).utf8()
        #expect(String(decoding: json, as: UTF8.self).contains(#"["a b", "c"]"#))
        _ = try json.withUnsafeBytes { try HuggingFaceTokenizer(bytes: $0, path: "t.json") }
    }

    @Test func `a directory is read by its model, or else by its tokenizer.json`() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/tokenizer.json", TokenizerJSON(Tokenizer(distinct)).utf8())
            #expect(try TokenizerFile(contentsOf: directory).format == .json)
            try writeFile(directory + "/tokenizer.model", distinct.serialized())
            #expect(try TokenizerFile(contentsOf: directory).format == .model)
        }
    }
}
