import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing
import TokenizerFormats
import Tokenizers

@testable import Pretraining

struct TrainingTokenizerTests {
    /// Writes tokenizer.model into the directory: special pieces, the 256 bytes, and some pieces.
    private func makeTokenizer(in directory: String) throws -> Tokenizer {
        let path = directory + "/tokenizer.model"
        var model = SentencePieceModel(proto: .init(), path: path)
        model.proto.trainerSpec.modelType = .bpe
        model.proto.trainerSpec.byteFallback = true
        model.proto.normalizerSpec.name = "identity"
        model.proto.normalizerSpec.removeExtraWhitespaces = false
        model.proto.appendSpecialPieces()
        model.proto.appendBytes()
        for (index, text) in ["a", "b", "ab", "▁", "▁a", "人"].enumerated() {
            model.proto.append(text, -Float(index + 1))
        }
        try writeFile(path, try model.serialized())
        return try Tokenizer(contentsOf: path)
    }

    /// Calls `body` with a directory that holds a tokenizer.json alone, and with the tokenizer of the model that it was
    /// made of.
    private func withTokenizerJSON(
        replacing part: String = "", with other: String = "", _ body: (String, TrainingTokenizer) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let text = String(decoding: TokenizerJSON(try makeTokenizer(in: directory)).utf8(), as: UTF8.self)
            let model = try TrainingTokenizer(contentsOf: directory)
            try FileManager.default.removeItem(atPath: directory + "/tokenizer.model")
            try writeFile(
                directory + "/tokenizer.json", text.replacingOccurrences(of: part, with: other).utf8)
            try body(directory, model)
        }
    }

    @Test func aTokenizerJSONGivesTheIdsOfTheModelThatItWasMadeOf() throws {
        try withTokenizerJSON { directory, model in
            let file = directory + "/tokenizer.json"
            for path in [directory, file] {
                let tokenizer = try TrainingTokenizer(contentsOf: path)
                #expect(tokenizer.path == file)
                #expect(tokenizer.digest == (try SHA256.hexDigest(ofFile: file)))
                #expect(tokenizer.pieceCount == model.pieceCount)
                #expect(tokenizer.beginID == model.beginID && tokenizer.endID == model.endID)
                #expect(tokenizer.pieceBytes != nil)
                for text in ["", "ab ba 人 abba", "  人人\tä", "a </s> b"] {
                    let ids = try model.encode(Array(text.utf8))
                    #expect(try tokenizer.encode(Array(text.utf8)) == ids)
                }
            }
        }
    }

    @Test func aTokenizerJSONThatNoModelCanStandForIsRefused() throws {
        let split = #""pre_tokenizer": {"type": "Split", "pattern": {"String": "a"}, "behavior": "MergedWithPrevious"}"#
        try withTokenizerJSON(replacing: #""pre_tokenizer": null"#, with: split) { directory, _ in
            let error = #expect(throws: TrainingTokenizerError.self) { try TrainingTokenizer(contentsOf: directory) }
            let message = error.map { "\($0)" } ?? ""
            #expect(message.hasPrefix(directory + "/tokenizer.json: ") && message.contains("kuoci convert"))
        }
    }

    @Test func aDirectoryWithoutATokenizerIsNamed() throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: FileError.self) { try TrainingTokenizer(contentsOf: directory) }
            #expect(error == .missing(path: directory + "/tokenizer.model"))
        }
    }
}
