import Foundation
import PieceModel
import TestSupport
import Testing

@testable import Tokenizers

struct EncodingTests {
    private let entries: [(String, Float)] = [("▁a", -1), ("▁", -2), ("a", -3), ("b", -4), ("中", -5), ("▁ab", -0.5)]

    private func plain(_ type: Sentencepiece_TrainerSpec.ModelType = .bpe, bytes: Bool = false) throws -> Tokenizer {
        try Tokenizer(model(entries, type: type, byteFallback: bytes, dummyPrefix: true))
    }

    @Test func `spans lead back to the input's bytes`() throws {
        let spans = try plain().encodeWithOffsets("a xy中b")
        #expect(spans.map(\.piece) == ["▁a", "▁", "xy", "中", "b"])
        #expect(spans.map(\.range) == [0..<1, 1..<2, 2..<4, 4..<7, 7..<8])
        #expect(spans.map(\.id.rawValue) == [3, 4, 0, 7, 6])
    }

    @Test func `the last byte of a character that is spelt out covers it`() throws {
        let spans = try plain(bytes: true).encodeWithOffsets("a里b")
        #expect(spans.map(\.piece) == ["▁a", "<0xE9>", "<0x87>", "<0x8C>", "b"])
        #expect(spans.map(\.range) == [0..<1, 1..<1, 1..<1, 1..<4, 4..<5])
    }

    @Test func `options apply in the order given`() throws {
        let tokenizer = try plain()
        #expect(tokenizer.encode("a b", options: [.begin, .end]) == [1, 3, 4, 6, 2])
        #expect(tokenizer.encode("a b", options: [.reverse, .begin, .end]) == [1, 6, 4, 3, 2])
        #expect(tokenizer.encode("a b", options: [.begin, .end, .reverse]) == [2, 6, 4, 3, 1])
        #expect(tokenizer.encodePieces("xb", options: [.nameUnknown]).map(\.text) == ["▁", "<unk>", "b"])
        #expect(
            tokenizer.encodeWithOffsets("b", options: [.begin, .end]).map(\.range) == [0..<0, 0..<0, 0..<1, 1..<1])
    }

    @Test func `spm_encode's words for options are read and checked`() throws {
        let tokenizer = try plain()
        #expect(try EncodingOptions("reverse:bos:unk", for: tokenizer).steps == [.reverse, .begin, .nameUnknown])
        #expect(try EncodingOptions("", for: tokenizer).steps.isEmpty)
        #expect(throws: TokenizerError.unknownOption("foo")) { try EncodingOptions("bos:foo", for: tokenizer) }
        var bare = model(entries)
        bare.proto.pieces.removeAll { $0.piece == "</s>" }
        let lacking = try Tokenizer(bare)
        #expect(throws: TokenizerError.missingPiece(option: "eos")) { try EncodingOptions("eos", for: lacking) }
    }

    @Test func `batches are the same on any number of cores`() throws {
        let tokenizer = try plain()
        let texts = (0..<500).map { String(repeating: "ab 中a", count: $0 % 17) }
        let expected = texts.map { tokenizer.encode($0) }
        for threads in [1, 2, 3, 8] {
            #expect(tokenizer.encodeBatch(texts, threads: threads) == expected)
            #expect(try tokenizer.decodeBatch(expected, threads: threads) == expected.map { try tokenizer.decode($0) })
        }
    }

    @Test func `a line is written in each format`() throws {
        let tokenizer = try plain()
        func written(_ format: LineFormat) throws -> String {
            let encoder = LineEncoder(tokenizer, format: format)
            for line in ["a\"b", ""] {
                try Array(line.utf8).withUnsafeBufferPointer { try encoder.encode($0, number: 1) }
            }
            return String(decoding: encoder.output, as: UTF8.self)
        }
        #expect(try written(.id) == "3 0 6\n\n")
        #expect(try written(.piece) == "▁a \" b\n\n")
        let empty = #"{"ids":[],"pieces":[],"begin":[],"end":[]}"#
        #expect(
            try written(.json)
                == #"{"ids":[3,0,6],"pieces":["▁a","\"","b"],"begin":[0,1,2],"end":[1,2,3]}"# + "\n" + empty + "\n")
    }

    // The table of sentencepiece's own test of its character model.
    @Test func `a character model takes one character at a time`() throws {
        let pieces: [(String, Float)] = [
            ("▁", -0.1), ("a", -0.2), ("b", -0.3), ("c", -0.4), ("ABC", -0.5), ("u", -0.6),
        ]
        let tokenizer = try Tokenizer(
            model(pieces, type: .char, userDefined: ["ABC"], unused: ["u"], dummyPrefix: true))
        #expect(tokenizer.encodePieces("abc b").map(\.text) == ["▁", "a", "b", "c", "▁", "b"])
        #expect(tokenizer.encodePieces("aABCu").map(\.text) == ["▁", "a", "ABC", "u"])
        #expect(tokenizer.encode("aABCu") == [3, 4, 7, 0])
        #expect(throws: TokenizerError.self) { try tokenizer.nbest("a", count: 2) }
    }

    @Test func `a word model takes a space and what follows`() throws {
        let tokenizer = try Tokenizer(model([("▁this", -1), ("▁is", -2), ("▁", -3)], type: .word, dummyPrefix: true))
        #expect(tokenizer.encode("this is  this") == [3, 4, 5, 3])
        #expect(tokenizer.encodePieces("this thus").map(\.text) == ["▁this", "▁thus"])
        #expect(tokenizer.encode("thus") == [0])
    }

    @Test func `a file may be named by its URL`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/x.model"
            try Data(model(entries).serialized()).write(to: URL(fileURLWithPath: path))
            #expect(try Tokenizer(contentsOf: URL(fileURLWithPath: path)).count == 9)
        }
    }

    @Test func `text is denormalized at the end`() throws {
        var keys = SortedKeys()
        keys.append("b".utf8, value: 0)
        let map = PrecompiledCharsmap(trie: DoubleArrayTrie(keys), targets: Array("BB".utf8) + [0])
        var changed = model(entries)
        changed.proto.denormalizerSpec.precompiledCharsmap = .init(map.blob)
        changed.proto.denormalizerSpec.addDummyPrefix = false
        changed.proto.denormalizerSpec.removeExtraWhitespaces = false
        changed.proto.denormalizerSpec.escapeWhitespaces = false
        #expect(try Tokenizer(changed).decode(pieces: ["▁ab", "中"]) == " aBB中")
    }
}
