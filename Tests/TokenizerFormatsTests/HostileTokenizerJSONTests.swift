import FileIO
import Testing
import Tokenizers

@testable import TokenizerFormats

/// One file, and what its refusal says.
struct HostileCase: Sendable, CustomTestStringConvertible {
    var name: String
    var json: String
    var says: String
    var testDescription: String { name }
}

private func model(_ vocabulary: String, _ merges: String = "", _ settings: String = "") -> String {
    bpe(vocabulary: vocabulary, merges: merges, settings: settings)
}

private func with(_ member: String) -> String {
    bpe(vocabulary: #""a": 0"#, merges: "", rest: member + ",")
}

private func added(_ tokens: String) -> String {
    with("").replacing("\"added_tokens\": [], ,", with: "\"added_tokens\": [\(tokens)],")
}

private let hostileCases = [
    HostileCase(name: "empty", json: "", says: "not valid JSON at byte 0"),
    HostileCase(name: "HTML", json: "<!doctype html>", says: "not valid JSON at byte 0"),
    HostileCase(
        name: "Git LFS pointer", json: "version https://git-lfs.github.com/spec/v1", says: "not valid JSON at byte 0"),
    HostileCase(name: "array", json: "[]", says: "the file holds no JSON object"),
    HostileCase(name: "no model", json: "{}", says: "the file lacks \"model\""),
    HostileCase(
        name: "cut short", json: #"{"model": {"type": "BPE", "vocab": {"a": 0"#, says: "not valid JSON at byte"),
    HostileCase(
        name: "WordPiece", json: #"{"model": {"type": "WordPiece", "vocab": {}}}"#,
        says: "model is a model of type WordPiece"),
    HostileCase(name: "no vocab", json: #"{"model": {"type": "BPE", "merges": []}}"#, says: "model lacks \"vocab\""),
    HostileCase(
        name: "merge of an absent token", json: model(#""a": 0"#, #""a b""#),
        says: "model.merges[0] joins \"b\", which is no token"),
    HostileCase(
        name: "merge result absent", json: model(#""a": 0, "b": 1"#, #""a b""#),
        says: "model.merges[0] makes \"ab\", which is no token"),
    HostileCase(
        name: "merge longer than any key",
        json: model(
            "\"\(String(repeating: "a", count: 500))\": 0",
            "[\"\(String(repeating: "a", count: 500))\", \"\(String(repeating: "a", count: 500))\"]"),
        says: "model.merges[0] makes \"aaaa"),
    HostileCase(name: "merge of three", json: model(#""a": 0"#, #""a a a""#), says: "model.merges[0] is neither"),
    HostileCase(name: "merge that is a number", json: model(#""a": 0"#, "7"), says: "model.merges[0] is neither"),
    HostileCase(
        name: "id twice", json: model(#""a": 0, "b": 0"#),
        says: "model.vocab[\"b\"] has the id 0, which is that of \"a\" too"),
    HostileCase(name: "token twice", json: model(#""a": 0, "a": 1"#), says: "the key \"a\" is repeated"),
    HostileCase(name: "id of 2^31", json: model(#""a": 2147483648"#), says: "model.vocab[\"a\"] is no id"),
    HostileCase(name: "negative id", json: model(#""a": -1"#), says: "model.vocab[\"a\"] is no id"),
    HostileCase(name: "fractional id", json: model(#""a": 1.5"#), says: "model.vocab[\"a\"] is no id"),
    HostileCase(name: "id as text", json: model(#""a": "0""#), says: "model.vocab[\"a\"] is no id"),
    HostileCase(
        name: "unknown token absent", json: model(#""a": 0"#, "", "\"unk_token\": \"<unk>\","),
        says: "model.unk_token (\"<unk>\") is no token"),
    HostileCase(name: "dropout", json: model(#""a": 0"#, "", "\"dropout\": 0.5,"), says: "model.dropout is dropout"),
    HostileCase(
        name: "added token with another id", json: added(#"{"id": 5, "content": "a"}"#),
        says: "added_tokens[0] (\"a\") has the id 5, and in model.vocab the id 0"),
    HostileCase(
        name: "added token on another's id", json: added(#"{"id": 0, "content": "z"}"#),
        says: "added_tokens[0] (\"z\") has the id 0, which is that of \"a\""),
    HostileCase(
        name: "added token with two ids", json: added(#"{"id": 5, "content": "z"}, {"id": 6, "content": "z"}"#),
        says: "added_tokens[1] (\"z\") has the ids 5 and 6"),
    HostileCase(
        name: "added token of 2^40", json: added(#"{"id": 1099511627776, "content": "z"}"#),
        says: "added_tokens[0].id is no id"),
    HostileCase(
        name: "empty added token", json: added(#"{"id": 5, "content": ""}"#), says: "added_tokens[0] (\"\") is empty"),
    HostileCase(
        name: "added token with NUL", json: added(#"{"id": 5, "content": "a\u0000"}"#), says: "is empty or holds a NUL"),
    HostileCase(
        name: "unknown normalizer", json: with(#""normalizer": {"type": "Magic"}"#),
        says: "normalizer is a normalizer of type Magic"),
    HostileCase(name: "normalizer without type", json: with(#""normalizer": {}"#), says: "normalizer lacks \"type\""),
    HostileCase(name: "normalizer that is a list", json: with(#""normalizer": []"#), says: "normalizer is no object"),
    HostileCase(
        name: "empty pattern",
        json: with(#""normalizer": {"type": "Replace", "pattern": {"String": ""}, "content": "x"}"#),
        says: "normalizer has an empty pattern"),
    HostileCase(
        name: "expression",
        json: with(#""normalizer": {"type": "Replace", "pattern": {"Regex": "(a+)+$"}, "content": "x"}"#),
        says: "is the regular expression"),
    HostileCase(
        name: "charsmap that is no Base64",
        json: with(#""normalizer": {"type": "Precompiled", "precompiled_charsmap": "???"}"#),
        says: "precompiled_charsmap is no Base64"),
    HostileCase(
        name: "charsmap too short",
        json: with(#""normalizer": {"type": "Precompiled", "precompiled_charsmap": "AAEC"}"#),
        says: "precompiled_charsmap is no normalization table"),
    HostileCase(
        name: "nested Sequence of a number", json: with(#""normalizer": {"type": "Sequence", "normalizers": 3}"#),
        says: "normalizer.normalizers is no array"),
    HostileCase(
        name: "ByteLevel", json: with(#""pre_tokenizer": {"type": "ByteLevel"}"#),
        says: "pre_tokenizer is a pre-tokenizer of type ByteLevel"),
    HostileCase(
        name: "Metaspace scheme",
        json: with(#""pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "often"}"#),
        says: "pre_tokenizer.prepend_scheme is none of"),
    HostileCase(
        name: "unknown decoder", json: with(#""decoder": {"type": "WordPiece"}"#),
        says: "decoder is a decoder of type WordPiece"),
    HostileCase(
        name: "Strip of two characters",
        json: with(#""decoder": {"type": "Strip", "content": "ab", "start": 1, "stop": 0}"#),
        says: "decoder.content is not one character"),
    HostileCase(
        name: "Strip below zero", json: with(#""decoder": {"type": "Strip", "content": " ", "start": -1, "stop": 0}"#),
        says: "decoder.start is no count"),
    HostileCase(
        name: "template names an absent token",
        json: with(
            #""post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}], "special_tokens": {}}"#
        ), says: "names \"<s>\", which special_tokens lacks"),
    HostileCase(
        name: "template with an id without a token",
        json: with(
            #""post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [99], "tokens": ["<s>"]}}}"#
        ), says: "is 99, an id without a token"),
    HostileCase(
        name: "unigram without unk_id", json: #"{"model": {"type": "Unigram", "vocab": [["a", 0]]}}"#,
        says: "model lacks \"unk_id\""),
    HostileCase(
        name: "unk_id out of range", json: #"{"model": {"type": "Unigram", "unk_id": 9, "vocab": [["a", 0]]}}"#,
        says: "model.unk_id is 9, beyond the 1 entries"),
    HostileCase(
        name: "unigram entry without score", json: #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a"]]}}"#,
        says: "model.vocab[0] is no pair"),
    HostileCase(
        name: "unigram entry twice",
        json: #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 0], ["a", 1]]}}"#,
        says: "model.vocab[1] (\"a\") is there twice"),
    HostileCase(
        name: "unigram score of 1e999", json: #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["a", 1e999]]}}"#,
        says: "model.vocab[0] is no pair"),
    HostileCase(
        name: "unigram entry empty", json: #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["", 0]]}}"#,
        says: "model.vocab[0] is empty"),
]

@Suite struct HostileTokenizerJSONTests {
    @Test(arguments: hostileCases)
    func `each fault is said in one line`(_ fault: HostileCase) throws {
        let error = #expect(throws: TokenizerFormatError.self) { _ = try huggingFace(fault.json) }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("t.json: "))
        #expect(text.contains(fault.says), "\(text)")
        #expect(!text.contains("\n"))
        #expect(text.contains("; "), "no hint at the mend: \(text)")
    }

    @Test func `gaps between ids, and ids near 2^31, need no memory`() throws {
        let tokenizer = try huggingFace(model(#""a": 5, "b": 2147483647"#))
        #expect(tokenizer.encode("ab").map(\.rawValue) == [5, 2_147_483_647])
        #expect(try tokenizer.decode([5, 2_147_483_647]) == "a b")
        #expect(throws: (any Error).self) { try tokenizer.decode([6]) }
        let error = #expect(throws: TokenizerFormatError.self) { _ = try tokenizer.sentencePieceModel() }
        #expect(error?.description.contains("no token has the id 0") == true)
    }

    @Test func `Strip cuts no more than there is`() throws {
        let rest = #""decoder": {"type": "Strip", "content": "a", "start": 5, "stop": 5},"#
        let tokenizer = try huggingFace(bpe(vocabulary: #""a": 0, "aaa": 1"#, merges: "", rest: rest))
        #expect(try tokenizer.decode([0, 1]) == "")
    }

    @Test func `a large file is refused by what is wrong in it, not by a trap`() throws {
        let json =
            Array("{\"model\": {\"type\": \"BPE\", \"vocab\": {".utf8) + Array(repeating: 0x20, count: 20_000_000)
        let error = #expect(throws: TokenizerFormatError.self) {
            _ = try json.withUnsafeBytes { try HuggingFaceTokenizer(bytes: $0, path: "t.json") }
        }
        #expect(error?.description.contains("not valid JSON at byte 20000036") == true, "\(String(describing: error))")
    }

    @Test func `a missing file is said`() {
        #expect(throws: FileError.missing(path: "/nowhere/tokenizer.json")) {
            _ = try HuggingFaceTokenizer(contentsOf: "/nowhere/tokenizer.json")
        }
    }
}
