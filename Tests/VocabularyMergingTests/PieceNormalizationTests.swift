import PieceModel
import Testing

@testable import VocabularyMerging

struct PieceNormalizationTests {
    private func takesAway(
        _ piece: String, adjust: (inout Sentencepiece_NormalizerSpec) -> Void = { _ in }
    ) throws -> Bool {
        var model = bpeModel([])
        adjust(&model.proto.normalizerSpec)
        return try PieceNormalization(model).takesAway(Array(piece.utf8))
    }

    @Test func `a space of its own is in no text where spaces become ▁`() throws {
        #expect(try takesAway("中 国"))
        #expect(try !takesAway("中 国") { $0.escapeWhitespaces = false })
        #expect(try !takesAway("中▁国"))
    }

    @Test func `▁ itself passes where extra spaces are taken out`() throws {
        for piece in ["▁中", "中▁▁国", "▁▁", "中▁"] { #expect(try !takesAway(piece) { $0.removeExtraWhitespaces = true }) }
    }
}
