import PieceModel
import Testing
import Tokenizers

@testable import VocabularyMerging

struct PaddingTests {
    @Test func `a pad token is a control piece that the tokenizer knows as such`() throws {
        let model = try bpeModel([("a", 0)]).addingPadToken("<pad>")
        #expect(model.pieces.map(\.piece) == ["<unk>", "a", "<pad>"])
        #expect(model.pieces.last?.type == .control)
        #expect(try Tokenizer(model).padID == 2)
        #expect(throws: MergeError.padTokenExists(path: "test.model", piece: "<pad>", id: 2)) {
            try model.addingPadToken("<pad>")
        }
    }

    @Test func `unused pieces fill up to a multiple`() throws {
        let model = bpeModel([("[", 0), ("P", 0), ("a", 0)])
        let padded = try model.paddedToMultiple(of: 4)
        #expect(padded.pieces == model.pieces)
        let larger = try model.paddedToMultiple(of: 7)
        #expect(larger.pieces.suffix(3).map(\.piece) == ["[PAD4]", "[PAD5]", "[PAD6]"])
        #expect(larger.pieces.suffix(3).allSatisfy { $0.type == .unused })
        try larger.validate()
        #expect(try Tokenizer(larger).encode("[PAD4]a") == Tokenizer(model).encode("[PAD4]a"))
        #expect(throws: MergeError.padTokenExists(path: "test.model", piece: "[PAD3]", id: 1)) {
            try bpeModel([("[PAD3]", 0), ("b", 0)]).paddedToMultiple(of: 2)
        }
    }

    @Test(arguments: [1 << 25, Int.max])
    func `a multiple that no vocabulary reaches is refused`(factor: Int) {
        #expect(throws: MergeError.tooMuchPadding(path: "test.model", factor: factor, most: 1 << 24)) {
            try bpeModel([("a", 0)]).paddedToMultiple(of: factor)
        }
    }
}
