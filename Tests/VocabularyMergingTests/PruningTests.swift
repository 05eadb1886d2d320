import FileIO
import OrderedJSON
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import VocabularyMerging

struct PruningTests {
    private func pruned(
        _ model: SentencePieceModel, countOfBase: Int, text: String, keeping: [String] = []
    ) throws -> SentencePieceModel {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/text.txt", text.utf8)
            return try Pruning(
                model, countOfBase: countOfBase, onLinesOf: [directory + "/text.txt"], keeping: keeping
            ).model
        }
    }

    @Test func `what is neither used nor part of what is goes`() throws {
        let model = bpeModel([
            ("中", 0), ("国", 0), ("人", 0), ("中国", -1), ("国人", -2), ("中国人", -3), ("人人", -4), ("民", -5),
        ])
        let left = try pruned(model, countOfBase: 4, text: "中国人\n")
        #expect(left.pieces.map(\.piece) == ["<unk>", "中", "国", "人", "中国", "中国人"])
        #expect(left.pieces.suffix(2).map(\.score) == [-1, -3])
        let kept = try pruned(model, countOfBase: 4, text: "人", keeping: ["国人"])
        #expect(kept.pieces.map(\.piece) == ["<unk>", "中", "国", "人", "国人"])
    }

    @Test func `texts without anything in them prune nothing`() throws {
        #expect(throws: MergeError.self) {
            try pruned(bpeModel([("中", 0), ("国", 0), ("中国", -1)]), countOfBase: 3, text: "\n")
        }
    }

    @Test func `the map names the new place of each old id`() throws {
        let model = bpeModel([("中", 0), ("国", 0), ("中国", -1), ("国国", -2), ("国中", -3)])
        let left = try pruned(model, countOfBase: 3, text: "国中\n中国中")
        #expect(left.pieces.map(\.piece) == ["<unk>", "中", "国", "中国", "国中"])
        let map = IDMap(from: model, to: left)
        #expect(map.newIDs == [0, 1, 2, 3, nil, 4])
        #expect(map.json.text(.line) == #"{"old_entries":6,"new_entries":5,"new_ids":[0,1,2,3,null,4]}"#)
    }

    /// With equal scores too, as the published merge has them.
    @Test(arguments: 0..<30 as Range<UInt64>)
    func `the text keeps its pieces`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        func text(_ count: ClosedRange<Int>) -> String {
            (0..<Int.random(in: count, using: &generator)).map { _ in ["a", "b", "中"].randomElement(using: &generator)!
            }
            .joined()
        }
        var pieces: [(String, Float)] = [("a", 0), ("b", 0), ("中", 0)]
        var known = Set(pieces.map(\.0))
        while pieces.count < 40 {
            let piece = text(2...5)
            let score = Bool.random(using: &generator) ? 0 : -Float(pieces.count)
            if known.insert(piece).inserted { pieces.append((piece, score)) }
        }
        let model = bpeModel(pieces)
        let sentence = text(40...60)
        let left = try pruned(model, countOfBase: 4, text: sentence)
        #expect(left.pieces.count < model.pieces.count)
        #expect(
            try Tokenizer(left).encodePieces(sentence).map(\.text)
                == Tokenizer(model).encodePieces(sentence).map(\.text), "\(sentence)")
    }
}
