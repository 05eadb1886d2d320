import FileIO
import Foundation
import OrderedJSON
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import Pretraining

@Suite struct PieceBytesTests {
    /// A tokenizer that changes nothing but puts a space before a document, with all bytes and some words.
    private func tokenizer(dummyPrefix: Bool) throws -> TrainingTokenizer {
        var proto = Sentencepiece_ModelProto()
        func append(_ text: String, _ type: SentencePieceModel.Piece.TypeEnum) {
            var piece = SentencePieceModel.Piece()
            (piece.piece, piece.type, piece.score) = (text, type, -Float(proto.pieces.count))
            proto.pieces.append(piece)
        }
        append("<unk>", .unknown)
        append("<s>", .control)
        append("</s>", .control)
        for byte in UInt8.min...UInt8.max { append(PieceModel.piece(forByte: byte), .byte) }
        for text in ["▁a", "ab", "▁▁", "▁", "a", "b", "中", "文", "中文"] { append(text, .normal) }
        proto.trainerSpec.modelType = .bpe
        proto.trainerSpec.byteFallback = true
        proto.normalizerSpec.addDummyPrefix = dummyPrefix
        proto.normalizerSpec.removeExtraWhitespaces = false
        let tokenizer = try Tokenizer(SentencePieceModel(proto: proto))
        return TrainingTokenizer(
            path: "small", digest: "small \(dummyPrefix)", pieceCount: tokenizer.count, beginID: 1, endID: 2,
            pieceBytes: PieceBytes(tokenizer)
        ) { document in document.withUnsafeBytes { tokenizer.encode(utf8: $0).map(\.rawValue) } }
    }

    @Test(arguments: [true, false])
    func allTargetsTogetherStandForTheText(dummyPrefix: Bool) throws {
        let tokenizer = try tokenizer(dummyPrefix: dummyPrefix)
        let documents = ["a", " a", "  ab  b", "中文中 文", "😀 a", "zz top", " ", "b中a"] + sampleDocuments(20)
        try withTemporaryDirectory { directory in
            let cache = try makeCache(documents, in: directory, tokenizer: tokenizer)
            let pieces = try #require(tokenizer.pieceBytes)
            for blockSize in [1, 7, 64] {
                let blocks = PackedBlocks(cache, blockSize: blockSize, padding: 2, rows: tokenizer.pieceCount)
                let sum = try (0..<blocks.blockCount).reduce(0) {
                    $0 + pieces.count(try blocks.row($1), beginID: tokenizer.beginID)
                }
                #expect(sum == cache.counts.textBytes)
            }
        }
    }
}
