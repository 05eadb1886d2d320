import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing

private func load(_ bytes: [UInt8]) throws(PieceModelError) -> SentencePieceModel {
    try bytes.withUnsafeBytes { bytes in
        Result { () throws(PieceModelError) in try SentencePieceModel(bytes: bytes, path: "x.model") }
    }.get()
}

private func model(
    _ pieces: [(String, SentencePieceModel.Piece.TypeEnum)],
    _ adjust: (inout Sentencepiece_ModelProto) -> Void = { _ in }
) throws -> [UInt8] {
    var proto = Sentencepiece_ModelProto()
    for (text, type) in pieces {
        var piece = SentencePieceModel.Piece()
        piece.piece = text
        piece.type = type
        proto.pieces.append(piece)
    }
    adjust(&proto)
    return try SentencePieceModel(proto: proto).serialized()
}

struct SentencePieceModelTests {
    @Test(arguments: [
        ("", "empty"), ("version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        ("<!DOCTYPE html><html>", "HTML page"), ("{\"a\":1}", "JSON"), ("PK\u{3}\u{4}abc", "zip"),
        ("hello world", "not a SentencePiece model"),
    ])
    func `foreign files are named for what they are`(text: String, expected: String) {
        let error = #expect(throws: PieceModelError.self) { try load(Array(text.utf8)) }
        #expect(error?.description.contains(expected) == true)
        #expect(error?.description.contains("x.model") == true)
    }

    @Test func `faults of pieces are refused`() throws {
        let unknown = ("<unk>", SentencePieceModel.Piece.TypeEnum.unknown)
        let cases: [([UInt8], String)] = [
            (try model([]) { $0.trainerSpec.vocabSize = 3 }, "no pieces"),
            (try model([unknown, ("", .normal)]), "is empty"),
            (try model([unknown, ("a", .normal), ("a", .normal)]), "twice"),
            (try model([("a", .normal)]), "unknown"),
            (try model([unknown, ("<u>", .unknown)]), "second unknown"),
            (try model([unknown, ("<0x00>", .byte)]), "without byte_fallback"),
            (try model([unknown, ("<0x0g>", .byte)]) { $0.trainerSpec.byteFallback = true }, "<0x00> to <0xFF>"),
            (try model([unknown, ("<0x00>", .byte)]) { $0.trainerSpec.byteFallback = true }, "1 of 256"),
            (try model([unknown, ("a\0b", .normal)]), "NUL"),
            (try model([unknown, (String(repeating: "a", count: 8000), .normal)]), "longer"),
            (try model([unknown, ("a", .normal)]) { $0.pieces[1].score = .nan }, "not finite"),
        ]
        for (bytes, expected) in cases {
            let error = #expect(throws: PieceModelError.self) { try load(bytes) }
            #expect(error?.description.contains(expected) == true, "\(expected): \(error?.description ?? "")")
        }
    }

    @Test func `canonically equivalent pieces are two pieces`() throws {
        let bytes = try model([("<unk>", .unknown), ("\u{E9}", .normal), ("e\u{301}", .normal)])
        #expect(try load(bytes).pieces.count == 3)
    }

    @Test func `every truncation is an error or a smaller model, never a trap`() throws {
        let bytes = try model([("<unk>", .unknown), ("abc", .normal)]) {
            $0.normalizerSpec.precompiledCharsmap = .init([1, 2, 3])
        }
        for length in 0..<bytes.count { _ = try? load(Array(bytes[..<length])) }
        for index in bytes.indices {
            var broken = bytes
            broken[index] ^= 0xFF
            _ = try? load(broken)
        }
    }

    @Test func `a round trip keeps unknown fields`() throws {
        var bytes = try model([("<unk>", .unknown)])
        // Field 150, a varint: not in the specification.
        bytes += [0xB0, 0x09, 0x05]
        #expect(try load(bytes).serialized() == bytes)
    }

    @Test func `byte pieces are read strictly`() {
        #expect(byteValue(ofPiece: "<0x0A>") == 10)
        #expect(piece(forByte: 10) == "<0x0A>")
        for text in ["<0x0a>", "<0xA>", "<0x+A>", "<0x0A>>", "0x0A"] { #expect(byteValue(ofPiece: text) == nil) }
    }
}
