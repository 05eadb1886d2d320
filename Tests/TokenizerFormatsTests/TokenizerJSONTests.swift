import FileIO
import OrderedJSON
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

private func tokenizer(scoreOfABC: Float = -2) throws -> Tokenizer {
    var proto = Sentencepiece_ModelProto()
    let pieces: [(String, Float, SentencePieceModel.Piece.TypeEnum)] = [
        ("<unk>", 0, .unknown), ("<s>", 0, .control), ("</s>", 0, .control), ("ab", -1, .normal),
        ("abc", scoreOfABC, .normal),
        ("bc", -2, .normal), ("▁", -3, .normal), ("a", -4, .normal), ("b", -5, .normal), ("c", -6, .normal),
    ]
    for (text, score, type) in pieces { proto.append(text, score, type) }
    proto.trainerSpec.modelType = .bpe
    return try Tokenizer(SentencePieceModel(proto: proto))
}

struct TokenizerJSONTests {
    @Test func `merges come by score, then by the longer left half`() throws {
        let json = try JSONValue(parsing: TokenizerJSON(tokenizer()).utf8())
        #expect(json["model"]?["merges"]?.array?.compactMap(\.string) == ["a b", "ab c", "a bc", "b c"])
    }

    @Test func `vocabulary and special tokens are complete`() throws {
        let json = try JSONValue(parsing: TokenizerJSON(tokenizer()).utf8())
        #expect(json["model"]?["vocab"]?["c"]?.int == 9)
        #expect(json["model"]?["vocab"]?["bc"]?.int == 5)
        #expect(json["added_tokens"]?.array?.compactMap { $0["content"]?.string } == ["<unk>", "<s>", "</s>"])
        #expect(json["post_processor"]?["special_tokens"]?["<s>"]?["ids"]?.array?.first?.int == 1)
        #expect(json["model"]?["unk_token"]?.string == "<unk>")
    }

    @Test func `a text begins and ends with what is asked for`() throws {
        func single(_ addsBegin: Bool, _ addsEnd: Bool) throws -> [String]? {
            let json = try TokenizerJSON(tokenizer(), addsBegin: addsBegin, addsEnd: addsEnd).utf8()
            return try JSONValue(parsing: json)["post_processor"]?["single"]?.array?.compactMap {
                ($0["SpecialToken"] ?? $0["Sequence"])?["id"]?.string
            }
        }
        #expect(try single(true, false) == ["<s>", "A"])
        #expect(try single(false, true) == ["A", "</s>"])
        #expect(try single(true, true) == ["<s>", "A", "</s>"])
        #expect(try single(false, false) == nil)
    }

    @Test func `the directory holds what transformers reads`() throws {
        try withTemporaryDirectory { directory in
            try TokenizerDirectory(tokenizer()).write(to: directory)
            for name in TokenizerDirectory.fileNames { #expect(try !readFile(directory + "/" + name).isEmpty) }
            let settings = try JSONValue(parsing: readFile(directory + "/tokenizer_config.json"))
            #expect(settings["tokenizer_class"]?.string == "LlamaTokenizer")
            #expect(settings["bos_token"]?.string == "<s>")
            #expect(settings["added_tokens_decoder"]?["2"]?["content"]?.string == "</s>")
        }
    }

    @Test func `transformers is to take tokenizer.json as it is unless scores are equal`() throws {
        #expect(try TokenizerDirectory(tokenizer(scoreOfABC: -1.5)).className == "PreTrainedTokenizerFast")
        #expect(try TokenizerDirectory(tokenizer(scoreOfABC: -2)).className == "LlamaTokenizer")
    }
}
