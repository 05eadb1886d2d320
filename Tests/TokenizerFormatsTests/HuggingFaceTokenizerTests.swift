import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

func huggingFace(_ json: String) throws -> HuggingFaceTokenizer {
    try Array(json.utf8).withUnsafeBytes { try HuggingFaceTokenizer(bytes: $0, path: "t.json") }
}

/// A BPE model; `rest` goes in beside it.
func bpe(vocabulary: String, merges: String, settings: String = "", rest: String = "") -> String {
    """
    {"added_tokens": [], \(rest) "model": {"type": "BPE", \(settings) "vocab": {\(vocabulary)}, "merges": [\(merges)]}}
    """
}

private func ids(_ tokenizer: HuggingFaceTokenizer, _ text: String) -> [Int32] {
    tokenizer.encode(text).map(\.rawValue)
}

@Suite struct HuggingFaceTokenizerTests {
    private let letters = #""a": 0, "b": 1, "c": 2, "ab": 3, "bc": 4, "abc": 5, "<unk>": 6"#

    @Test(arguments: [#""b c", "a b", "a bc""#, #"["b", "c"], ["a", "b"], ["a", "bc"]"#])
    func `the pair of lowest rank is merged first, however merges are spelled`(_ merges: String) throws {
        let tokenizer = try huggingFace(bpe(vocabulary: letters, merges: merges))
        #expect(ids(tokenizer, "abc") == [5])
        #expect(ids(tokenizer, "abab") == [3, 3])
        #expect(ids(tokenizer, "aabcb") == [0, 5, 1])
    }

    @Test func `canonically equivalent tokens are two tokens`() throws {
        let tokenizer = try huggingFace(
            bpe(vocabulary: "\"\u{E9}\": 0, \"e\u{301}\": 1, \"e\": 2, \"\u{301}\": 3", merges: "\"e \u{301}\""))
        #expect(ids(tokenizer, "\u{E9}e\u{301}") == [0, 1])
    }

    @Test(arguments: [(true, [6, 0]), (false, [6, 6, 0])])
    func `unknown characters are fused if the file says so`(_ fuses: Bool, _ expected: [Int32]) throws {
        let settings = "\"unk_token\": \"<unk>\", \"fuse_unk\": \(fuses),"
        #expect(ids(try huggingFace(bpe(vocabulary: letters, merges: "", settings: settings)), "xya") == expected)
    }

    @Test func `bytes stand for what no token holds, and decode to text`() throws {
        let bytes = (0..<256).map { "\"\(piece(forByte: UInt8($0)))\": \($0)" }.joined(separator: ", ")
        let tokenizer = try huggingFace(
            bpe(
                vocabulary: bytes + ", \"a\": 256", merges: "", settings: "\"byte_fallback\": true,",
                rest: #""decoder": {"type": "Sequence", "decoders": [{"type": "ByteFallback"}, {"type": "Fuse"}]},"#))
        #expect(ids(tokenizer, "a中") == [256, 0xE4, 0xB8, 0xAD])
        #expect(try tokenizer.decode([256, 0xE4, 0xB8, 0xAD]) == "a中")
        #expect(try tokenizer.decode([0xE4, 0xB8, 256]) == "\u{FFFD}\u{FFFD}a")
    }

    @Test func `added tokens are found before the model sees the text, the longest first`() throws {
        let added = #"""
            {"id": 7, "content": "<x>", "special": true, "normalized": false},
            {"id": 8, "content": "<x>y", "special": false, "normalized": false, "lstrip": true, "rstrip": true},
            {"id": 9, "content": "c", "single_word": true, "normalized": false}
            """#
        let json = bpe(vocabulary: letters.replacing("\"c\"", with: "\"d\""), merges: "")
            .replacing("\"added_tokens\": []", with: "\"added_tokens\": [\(added)]")
        let tokenizer = try huggingFace(json)
        #expect(ids(tokenizer, "a<x>b") == [0, 7, 1])
        #expect(ids(tokenizer, "a  <x>y b") == [0, 8, 1])
        #expect(ids(tokenizer, "<x>c<x>") == [7, 9, 7])
        #expect(tokenizer.encode("ac").map(\.rawValue) == [0])
        #expect(try tokenizer.decode([0, 7, 8]) == "a <x>y")
        #expect(tokenizer.count == 10)
    }

    @Test func `Metaspace marks and cuts words`() throws {
        let rest =
            #""pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": true},"#
        let vocabulary = #""▁": 0, "a": 1, "▁a": 2, "a▁": 3, "a▁a": 4"#
        let tokenizer = try huggingFace(bpe(vocabulary: vocabulary, merges: #""a ▁", "▁ a""#, rest: rest))
        #expect(ids(tokenizer, "a a") == [2, 2])
    }

    @Test func `unigram takes the best sum, and fuses what is unknown`() throws {
        let tokenizer = try huggingFace(
            #"{"model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0], ["a", -1], ["b", -1], ["ab", -1.5], ["aba", -9]]}}"#
        )
        #expect(ids(tokenizer, "aba") == [3, 1])
        #expect(ids(tokenizer, "xya") == [0, 1])
    }

    /// serde_json rounds such digits twice: 10674199104309082 is no double.
    @Test(arguments: [
        ("-10.674199104309082", -10.674199104309082), ("0", 0), ("1e3", 1000), ("-0.5E-1", -0.05),
        ("18446744073709551616", 18446744073709551616),
    ])
    func `numbers are read in two roundings`(_ spelling: String, _ near: Double) throws {
        let value = try #require(twiceRoundedDouble(spelling))
        #expect(abs(value - near) <= near.ulp)
    }

    @Test func `the digits' own rounding shows`() {
        #expect(twiceRoundedDouble("-9.018820762634277") == -(Double(9018820762634277) / 1e15))
        #expect(twiceRoundedDouble("1e999") == nil)
    }
}
