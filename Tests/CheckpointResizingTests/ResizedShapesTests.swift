import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Provenance
import Safetensors
import TestSupport
import Testing
import Tokenizers
import VocabularyMerging

@testable import CheckpointResizing

/// Padding, moving, dropping, dealing out anew, linking: what the new checkpoint holds, compared with the old one.
struct ResizedShapesTests {
    private let pair = ["model.embed_tokens.weight", "lm_head.weight"]

    private func rows(_ checkpoint: Checkpoint, _ name: String) throws -> [[Float]] {
        let values = try checkpoint.floats(of: name)
        return stride(from: 0, to: values.count, by: 6).map { Array(values[$0..<$0 + 6]) }
    }

    /// Resizes a model with so many rows, and hands over both and what the resizer says.
    private func resized(
        oldRows: Int = 11, pieces: [String] = newPieces, idMap: IDMap? = nil, multiple: Int = 1, shardSize: Int = .max,
        newShardSize: Int? = nil, linking: Bool = false, _ initialization: RowInitialization = .subwordMean,
        change: @escaping (inout JSONValue) -> Void = { _ in },
        _ body: (_ old: Checkpoint, _ new: Checkpoint, _ resizer: VocabularyResizer) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", shardSize: shardSize) { plans, config in
                plans[0].shape[0] = oldRows
                plans[plans.count - 1].shape[0] = oldRows
                config["vocab_size"] = .integer(oldRows)
                change(&config)
            }
            let old = try Checkpoint(directory: directory + "/old")
            var resizer = try VocabularyResizer(
                old, to: try tokenizer(pieces), idMap: idMap, multiple: multiple, starts: RowStarts(initialization))
            resizer.maximumShardSize = newShardSize
            try resizer.write(
                to: directory + "/new", tokenizerFiles: [], manifest: Manifest(inputs: old.shards.map(\.path)),
                linking: linking, replacing: false)
            try body(old, try Checkpoint(directory: directory + "/new"), resizer)
        }
    }

    @Test func paddingRowsStartAsTheMeanAndCountAsRows() throws {
        try resized(multiple: 8) { old, new, _ in
            #expect(try new.config.vocabularySize == 16)
            for name in pair {
                let (before, after) = (try rows(old, name), try rows(new, name))
                #expect(after.count == 16 && Array(after.prefix(11)) == before)
            }
        }
        try resized(multiple: 20) { old, new, _ in
            for name in pair {
                let (before, after) = (try rows(old, name), try rows(new, name))
                let mean = (0..<6).map { column in Float(before.reduce(0.0) { $0 + Double($1[column]) } / 11) }
                #expect(after.count == 20 && after.suffix(4).allSatisfy { $0 == mean })
            }
        }
    }

    /// Rows 11 and 12 stand for nothing in the old tokenizer and are given to 人工智能 and 智能.
    @Test func rowsThatTheTokenizerHasNoEntriesForAreGivenAway() throws {
        try resized(oldRows: 13) { old, new, resizer in
            #expect(resizer.rows.reusedPadding == 2)
            #expect(try resizer.firstNewRow() == 11)
            let (before, after) = (try rows(old, pair[0]), try rows(new, pair[0]))
            #expect(Array(after.prefix(11)) == Array(before.prefix(11)))
            let expected = (0..<6).map { column in
                Float([6, 7].reduce(0.0) { $0 + Double(before[$1][column]) } / 2)
            }
            #expect(after[12] == expected)
        }
    }

    /// Rows 0 to 8 are there, 9 and 10 are not: ▁a and a start anew with the rest, as what they are made of without them.
    @Test func entriesWithoutRowsAreNew() throws {
        try resized(oldRows: 9) { old, new, resizer in
            #expect(resizer.rows.fresh == [9..<16])
            let (before, after) = (try rows(old, pair[0]), try rows(new, pair[0]))
            #expect(Array(after.prefix(9)) == before)
            // ▁a is ▁ and an unknown a.
            #expect(after[9] == before[3])
        }
    }

    @Test func theModelsOwnTokenizerDropsPadding() throws {
        try resized(oldRows: 13, pieces: oldPieces) { old, new, resizer in
            #expect((resizer.rows.droppedRows, resizer.rows.freshRows) == (2, 0))
            for name in pair {
                let (before, after) = (try rows(old, name), try rows(new, name))
                #expect(after == Array(before.prefix(11)))
            }
        }
    }

    /// The map is one between the tokenizers; of its entries 9 and 10 the old model has no rows.
    @Test func mapsOfEntriesWithoutRowsAreVerified() throws {
        let map = IDMap(from: try tokenizer(oldPieces).model, to: try tokenizer(newPieces).model)
        try resized(oldRows: 9, idMap: map) { old, new, _ in
            let expectation = try ResizeExpectation(map, of: old)
            let comparison = try CheckpointComparison(
                old, new, keptRows: expectation.keptRows, config: try expectation.config(from: old, to: new))
            #expect(comparison.isSame)
            #expect(comparison.tensors.filter(\.isPartial).map(\.comparedRows) == [9, 9])
        }
    }

    @Test func moreRowsThanThereAreCannotBeExpected() throws {
        try resized { old, _, _ in
            for wanted in [12, Int.max] {
                #expect(throws: ResizingError.fewerRows(model: old.directory, rows: 11, wanted: wanted)) {
                    try ResizeExpectation(firstRows: wanted, of: old)
                }
            }
            let kept = try ResizeExpectation(firstRows: 11, of: old).keptRows
            #expect(kept == [RowRun(old: 0..<11, new: 0)])
        }
    }

    @Test func rowsMoveByTheMap() throws {
        // 能 (7) and ▁a (9) go, `a` stands before 人工, and 智能 is new.
        let pieces = ["▁", "人", "工", "智", "a", "人工", "智能"]
        let old = try tokenizer(oldPieces).model
        let map = IDMap(from: old, to: try tokenizer(pieces).model)
        #expect(map.newIDs == [0, 1, 2, 3, 4, 5, 6, nil, 8, nil, 7])
        try resized(
            pieces: pieces, idMap: map, multiple: 4, change: { $0["pad_token_id"] = 10 }
        ) { old, new, resizer in
            #expect(resizer.rows.droppedRows == 2)
            #expect(try new.config.vocabularySize == 12)
            #expect(new.config["pad_token_id"]?.int == 7)
            #expect(new.config["eos_token_id"]?.int == 2)
            for name in pair {
                let (before, after) = (try rows(old, name), try rows(new, name))
                #expect(Array(after.prefix(9)) == [0, 1, 2, 3, 4, 5, 6, 10, 8].map { before[$0] })
            }
            let expectation = try ResizeExpectation(map, of: old)
            let comparison = try CheckpointComparison(
                old, new, keptRows: expectation.keptRows, config: try expectation.config(from: old, to: new))
            #expect(comparison.isSame)
            #expect(try !CheckpointComparison(old, new).isSame)
        }
    }

    @Test func idThatIsDroppedIsRefused() throws {
        let pieces = ["▁", "人"]
        let map = IDMap(from: try tokenizer(oldPieces).model, to: try tokenizer(pieces).model)
        #expect(throws: ResizingError.self) {
            try resized(pieces: pieces, idMap: map, change: { $0["pad_token_id"] = 10 }) { _, _, _ in }
        }
        try resized(pieces: pieces, idMap: map) { old, new, resizer in
            #expect(resizer.rows.freshRows == 0)
            let (before, after) = (try rows(old, pair[1]), try rows(new, pair[1]))
            #expect(after == Array(before.prefix(5)))
        }
    }

    @Test func mapOfOtherTokenizersIsRefused() throws {
        let map = IDMap(from: try tokenizer(newPieces).model, to: try tokenizer(oldPieces).model)
        #expect(throws: ResizingError.self) { try resized(pieces: oldPieces, idMap: map) { _, _, _ in } }
        // The right sizes, but 人 and 工 changed places.
        var pieces = oldPieces
        pieces.swapAt(1, 2)
        let sound = IDMap(from: try tokenizer(oldPieces).model, to: try tokenizer(oldPieces).model)
        let error = #expect(throws: ResizingError.self) {
            try resized(pieces: pieces, idMap: sound) { _, _, _ in }
        }
        #expect("\(error as Any)".contains("entry 4 is \"工\""))
    }

    @Test func extendedModelIsExtendedAgain() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/0")
            let steps = [oldPieces, newPieces, newPieces + ["工智", "▁人工智能"]]
            for step in 1...2 {
                let larger = try tokenizer(steps[step])
                try writeFile(directory + "/\(step).model", try larger.model.serialized())
                let resizer = try VocabularyResizer(
                    try Checkpoint(directory: "\(directory)/\(step - 1)"), to: larger, starts: RowStarts(.subwordMean))
                #expect(try resizer.firstNewRow() == steps[step - 1].count + 3)
                try resizer.write(
                    to: "\(directory)/\(step)", tokenizerFiles: [("\(directory)/\(step).model", "tokenizer.model")],
                    replacing: false)
            }
            let (first, last) = (
                try Checkpoint(directory: directory + "/0"), try Checkpoint(directory: directory + "/2")
            )
            let expectation = try ResizeExpectation(firstRows: 11, of: first)
            let comparison = try CheckpointComparison(
                first, last, keptRows: expectation.keptRows, config: try expectation.config(from: first, to: last))
            #expect(comparison.isSame)
        }
    }

    /// Dealt out anew, the tensors are the same and so is what kuoci.json says of them.
    @Test func contentHashesDoNotDependOnTheFiles() throws {
        var hashes: [JSONValue?] = []
        for (shardSize, newShardSize) in [(Int.max, nil), (200, nil), (1, 300), (200, Int.max)] as [(Int, Int?)] {
            try resized(shardSize: shardSize, newShardSize: newShardSize) { old, new, _ in
                let manifest = try JSONValue(parsing: try readFile(new.directory + "/kuoci.json"))
                #expect(manifest["results"]?["tensors_sha256"]?.string == new.contentHash)
                for hash in tensorHashes(in: new.shards) {
                    #expect(manifest["results"]?["tensors"]?[hash.plan.name]?.string == hash.digest)
                }
                for (input, shard) in zip(manifest["inputs"]?.array ?? [], old.shards) {
                    #expect(input["path"]?.string == shard.path)
                    #expect(input["sha256"]?.string == (try SHA256.hexDigest(ofFile: shard.path)))
                }
                hashes.append(manifest["results"]?["tensors"])
                if newShardSize == 300 { #expect(new.shards.count == 6) }
                if newShardSize == .max { #expect(new.shards.map(\.name) == ["model.safetensors"]) }
            }
        }
        #expect(hashes.allSatisfy { $0 == hashes[0] })
    }

    @Test func linkedFilesAreTheOldOnes() throws {
        for linking in [true, false] {
            try resized(shardSize: 1, linking: linking) { old, new, _ in
                let numbers = try [old, new].map { checkpoint in
                    let path = checkpoint.directory + "/model-00003-of-00012.safetensors"
                    return try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? Int
                }
                #expect((numbers[0] == numbers[1]) == linking)
                #expect(Set(new.shards.map(\.name)) == Set(old.shards.map(\.name)))
                // What was not read has no hash.
                let manifest = try JSONValue(parsing: try readFile(new.directory + "/kuoci.json"))
                let hashes = manifest["inputs"]?.array?.map { $0["sha256"]?.string != nil }
                #expect(hashes == [true, true] + [Bool](repeating: !linking, count: 10))
                #expect((manifest["results"]?["tensors_sha256"]?.string != nil) != linking)
                #expect((manifest["results"]?["tensors"]?["model.norm.weight"] == nil) == linking)
            }
        }
    }

    @Test func theEstimateIsWhatIsWritten() throws {
        try resized(multiple: 64, shardSize: 1) { old, new, resizer in
            let estimate = try resizer.estimate()
            #expect(estimate.newParameters == new.tensors.reduce(0) { $0 + $1.count })
            #expect(estimate.newBytes == new.tensors.reduce(0) { $0 + $1.byteCount })
            #expect(estimate.oldParameters == old.tensors.reduce(0) { $0 + $1.count })
            #expect(estimate.neededBytes(linking: false) == new.shards.reduce(0) { $0 + $1.byteCount })
            #expect((estimate.rewrittenFiles, estimate.unchangedFiles) == (2, 10))
            #expect(estimate.matrices.map(\.new) == [[64, 6], [64, 6]])
        }
    }
}
