import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport
import Testing
import Tokenizers

@testable import CheckpointResizing

struct VocabularyResizerTests {
    /// Resizes a new model and hands over both checkpoints.
    private func resized(
        _ initialization: RowInitialization, type: TensorType = .float32, tied: Bool = false, shardSize: Int = .max,
        seed: UInt64 = 0, _ body: (_ old: Checkpoint, _ new: Checkpoint) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", type: type, tied: tied, shardSize: shardSize)
            try FileManager.default.createDirectory(atPath: directory + "/t", withIntermediateDirectories: false)
            let larger = try tokenizer(newPieces)
            try writeFile(directory + "/t/tokenizer.model", try larger.model.serialized())
            try writeFile(directory + "/t/special_tokens_map.json", "new".utf8)
            try writeFile(directory + "/text.txt", "人工智能 人工\n".utf8)
            let old = try Checkpoint(directory: directory + "/old")
            let starts = RowStarts(initialization, seed: seed, texts: [directory + "/text.txt"])
            let resizer = try VocabularyResizer(old, to: larger, starts: starts)
            try resizer.write(
                to: directory + "/new", tokenizerFiles: try tokenizerFiles(at: directory + "/t"), replacing: false)
            try body(old, try Checkpoint(directory: directory + "/new"))
        }
    }

    @Test(arguments: RowInitialization.allCases, [TensorType.float32, .bfloat16, .float16])
    func oldBitsStay(_ initialization: RowInitialization, _ type: TensorType) throws {
        for (tied, shardSize) in [(false, Int.max), (false, 200), (true, Int.max), (true, 1)] {
            try resized(initialization, type: type, tied: tied, shardSize: shardSize) { old, new in
                #expect(new.tensors.map(\.name) == old.tensors.map(\.name))
                for tensor in old.tensors {
                    let grows = ["model.embed_tokens.weight", "lm_head.weight"].contains(tensor.name)
                    let written = try #require(new[tensor.name])
                    #expect(written.type == tensor.type)
                    #expect(written.shape == (grows ? [newPieces.count + 3, 6] : tensor.shape))
                    let oldBytes = try old.withUnsafeBytes(of: tensor.name) { Array($0) }
                    let newBytes = try new.withUnsafeBytes(of: tensor.name) { Array($0) }
                    #expect(Array(newBytes.prefix(oldBytes.count)) == oldBytes)
                }
            }
        }
    }

    @Test func onlyVocabularySizeChangesInTheConfig() throws {
        try resized(.mean) { old, new in
            var expected = old.config.json
            expected["vocab_size"] = .integer(newPieces.count + 3)
            #expect(new.config.json == expected)
            // Equal as text too: every key in its place, every number in its spelling.
            #expect(new.config.json.text() == expected.text())
        }
    }

    @Test func tokenizerFilesAreTheNewOnes() throws {
        try resized(.mean) { _, new in
            let names = try entries(new.directory)
            #expect(
                names == [
                    "config.json", "generation_config.json", "model.safetensors", "special_tokens_map.json",
                    "tokenizer.model",
                ])
            let count = try Tokenizer(contentsOf: new.directory + "/tokenizer.model").count
            #expect(count == newPieces.count + 3)
        }
    }

    @Test(arguments: [TensorType.float32, .bfloat16])
    func meanIsThatOfAllOldRows(_ type: TensorType) throws {
        try resized(.mean, type: type) { old, new in
            for name in ["model.embed_tokens.weight", "lm_head.weight"] {
                let before = try old.floats(of: name)
                let after = try new.floats(of: name)
                for column in 0..<6 {
                    let sum = (0..<11).reduce(0.0) { $0 + Double(before[$1 * 6 + column]) }
                    let expected = type.bytes([Float(sum / 11)]).withUnsafeBytes { type.floats($0)[0] }
                    for row in 11..<16 { #expect(after[row * 6 + column] == expected) }
                }
            }
        }
    }

    /// 人工智能 is 人工 + 智 + 能; 智能 is 智 + 能, with no space before it; ▁aa is ▁a + a; xyz is unknown.
    @Test func subwordMeanIsThatOfTheOldPieces() throws {
        let pair = try TokenizerPair(old: tokenizer(oldPieces), new: tokenizer(newPieces))
        #expect((11..<16).map(pair.subwords(of:)) == [[8, 6, 7], [6, 7], [3, 8], [9, 10], []])
        try resized(.subwordMean) { old, new in
            let before = try old.floats(of: "lm_head.weight")
            let after = try new.floats(of: "lm_head.weight")
            for column in 0..<6 {
                let sum = [8, 6, 7].reduce(0.0) { $0 + Double(before[$1 * 6 + column]) }
                #expect(after[11 * 6 + column] == Float(sum / 3))
                // Of nothing known: the mean of all.
                let all = (0..<11).reduce(0.0) { $0 + Double(before[$1 * 6 + column]) }
                #expect(after[15 * 6 + column] == Float(all / 11))
            }
        }
    }

    @Test func normalDependsOnTheSeedOnly() throws {
        var bytes: [[UInt8]] = []
        for (seed, shardSize) in [(7, Int.max), (7, 1), (8, Int.max)] as [(UInt64, Int)] {
            try resized(.normal, shardSize: shardSize, seed: seed) { _, new in
                bytes.append(try new.withUnsafeBytes(of: "lm_head.weight") { Array($0) })
            }
        }
        #expect(bytes[0] == bytes[1])
        #expect(bytes[0] != bytes[2])
    }

    @Test func normalFollowsMeanAndDeviationOfEachColumn() throws {
        try withTemporaryDirectory { directory in
            try writeModel(directory + "/old", withTokenizer: false)
            let old = try Checkpoint(directory: directory + "/old")
            let resizer = try VocabularyResizer(
                old, entries: 20_011, tokenizer: "t", starts: RowStarts(.normal, seed: 3))
            try resizer.write(to: directory + "/new", tokenizerFiles: [], replacing: false)
            let before = try old.floats(of: "lm_head.weight")
            let after = try Checkpoint(directory: directory + "/new").floats(of: "lm_head.weight")
            for column in 0..<6 {
                let (mean, deviation) = moments((0..<11).map { before[$0 * 6 + column] })
                let (newMean, newDeviation) = moments((11..<20_011).map { after[$0 * 6 + column] })
                // Four standard errors of 20,000 draws.
                #expect(abs(newMean - mean) < 4 * deviation / 20_000.0.squareRoot())
                #expect(abs(newDeviation / deviation - 1) < 4 / 40_000.0.squareRoot())
            }
        }
    }

    private func moments(_ values: [Float]) -> (mean: Double, deviation: Double) {
        let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
        let squares = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
        return (mean, (squares / Double(values.count)).squareRoot())
    }

    @Test func untouchedShardsAreCopiedWhole() throws {
        try resized(.mean, shardSize: 1) { old, new in
            let name = "model-00006-of-00012.safetensors"
            #expect(old.shards[5].tensors.map(\.name) == ["model.layers.0.mlp.up_proj.weight"])
            let (before, after) = (try readFile("\(old.directory)/\(name)"), try readFile("\(new.directory)/\(name)"))
            #expect(before == after)
        }
    }
}
