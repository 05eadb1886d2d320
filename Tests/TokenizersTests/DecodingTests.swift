import PieceModel
import Testing

@testable import Tokenizers

struct DecodingTests {
    @Test func `spaces come back and the dummy prefix goes`() throws {
        let tokenizer = try Tokenizer(
            model(
                [("▁ABC", -1), ("▁DE", -2), ("F", -3), ("G▁H", -4), ("I", -5), ("▁", -6)], dummyPrefix: true,
                removeExtra: true))
        #expect(
            tokenizer.decode(pieces: ["<s>", "▁ABC", "<unk>", "▁DE", "F", "G▁H", "I", "</s>"])
                == "ABC \u{2047}  DEFG HI")
        #expect(tokenizer.decode(pieces: ["<s>", "▁", "▁ABC"]) == "ABC")
    }

    @Test func `only one leading space goes when spaces are kept`() throws {
        let tokenizer = try Tokenizer(model([("▁ABC", -1), ("▁", -2)], dummyPrefix: true))
        #expect(tokenizer.decode(pieces: ["<s>", "▁", "▁ABC"]) == " ABC")
    }

    @Test func `bytes become characters or replacements`() throws {
        let tokenizer = try Tokenizer(model([("A", -1), ("B", -2), ("C", -3)], byteFallback: true))
        let bytes = ["E3", "81", "82", "5A", "CE", "A9"].map { "<0x\($0)>" }
        let more = ["E0", "80", "E3", "81", "84", "EF", "BF", "BD"].map { "<0x\($0)>" }
        let text = tokenizer.decode(pieces: ["A", "B"] + bytes + ["C"] + more)
        #expect(text == "ABあZΩC\u{FFFD}\u{FFFD}い\u{FFFD}")
    }

    @Test func `an id outside the vocabulary is named`() throws {
        let tokenizer = try Tokenizer(model([("A", -1)]))
        #expect(throws: TokenizerError.idOutOfRange(id: 4, count: 4)) { try tokenizer.decode([4]) }
        #expect(throws: TokenizerError.idOutOfRange(id: -1, count: 4)) { try tokenizer.decode([-1]) }
    }
}
