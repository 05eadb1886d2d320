import FileIO
import Foundation
import OrderedJSON
import Provenance
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

/// One pass over the weights: copies, moves and hashes are those of a reader that holds all in memory.
struct CheckpointRewriterTests {
    /// A file whose tensors stand in another order than ours, with numbers enough for several pieces of a pass.
    private func writeOddFile(_ path: String) throws -> [String: [UInt8]] {
        let sizes = [("z", 3), ("a", 9 << 20), ("empty", 0), ("m", 17), ("model.norm.weight", 8 << 20)]
        var header = #"{"__metadata__":{"made":"by hand"}"#
        var data: [UInt8] = []
        var contents: [String: [UInt8]] = [:]
        for (name, size) in sizes {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 13 &+ $0 >> 11 &+ name.utf8.count) }
            header +=
                #","\#(name)":{"dtype":"U8","shape":[\#(size)],"data_offsets":[\#(data.count),\#(data.count + size)]}"#
            data += bytes
            contents[name] = bytes
        }
        header += "}"
        let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
        try writeFile(path, length + Array(header.utf8) + data)
        return contents
    }

    private func checkpoint(in directory: String) throws -> (Checkpoint, [String: [UInt8]]) {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: false)
        try writeText(directory + "/config.json", #"{"vocab_size": 3}"#)
        let contents = try writeOddFile(directory + "/model.safetensors")
        return (try Checkpoint(directory: directory), contents)
    }

    @Test func tensorsKeepTheirBytesInAnotherOrder() throws {
        try withTemporaryDirectory { directory in
            let (old, contents) = try checkpoint(in: directory + "/old")
            for (number, shards) in [
                [ShardPlan(name: "model.safetensors", tensors: old.tensors.map { TensorPlan($0) })],
                try ShardPlan.shards(of: old.tensors.map { TensorPlan($0) }, maximumSize: 20),
                [ShardPlan(name: "model.safetensors", tensors: [], source: old.shards[0].path)],
            ].enumerated() {
                let path = "\(directory)/\(number)"
                var rewriter = try CheckpointRewriter(
                    path, from: old, shards: shards, moves: [:], linking: false, replacing: false)
                try rewriter.copyWeights()
                try rewriter.finish(config: old.config.json, manifest: Manifest(inputs: [old.shards[0].path]))
                let new = try Checkpoint(directory: path)
                #expect(new.tensors.count == contents.count)
                for (name, bytes) in contents {
                    #expect(try new.withUnsafeBytes(of: name) { $0.elementsEqual(bytes) })
                }
                let manifest = try JSONValue(parsing: try readFile(path + "/kuoci.json"))
                #expect(manifest["results"]?["tensors_sha256"]?.string == old.contentHash)
                #expect(
                    manifest["inputs"]?.array?.first?["sha256"]?.string
                        == (try SHA256.hexDigest(ofFile: old.shards[0].path)))
            }
        }
    }

    @Test func partsOfATensorMove() throws {
        try withTemporaryDirectory { directory in
            let (old, contents) = try checkpoint(in: directory + "/old")
            var plans = old.tensors.map { TensorPlan($0) }
            let index = try #require(plans.firstIndex { $0.name == "a" })
            plans[index].shape = [(9 << 20) + 2]
            let bytes = try #require(contents["a"])
            // The two halves change places, with two new bytes between them; the cut lies inside a piece of the pass.
            let cut = (5 << 20) + 3
            let moves = [
                ByteMove(source: 0..<cut, destination: bytes.count - cut + 2),
                ByteMove(source: cut..<bytes.count, destination: 0),
            ]
            var rewriter = try CheckpointRewriter(
                directory + "/new", from: old, shards: [ShardPlan(name: "model.safetensors", tensors: plans)],
                moves: ["a": moves], linking: false, replacing: false)
            try rewriter.copyWeights()
            try rewriter.write([1, 2], of: "a", at: bytes.count - cut)
            try rewriter.finish(config: old.config.json)
            let new = try Checkpoint(directory: directory + "/new")
            let expected = Array(bytes[cut...]) + [1, 2] + Array(bytes[..<cut])
            #expect(try new.withUnsafeBytes(of: "a") { $0.elementsEqual(expected) })
            #expect(try new.withUnsafeBytes(of: "m") { $0.elementsEqual(contents["m"] ?? []) })
        }
    }

    @Test(
        arguments: [
            (["tokenizer.model": "new"], "old"),
            (["tokenizer_config.json": "{}"], "old"), (["tokenizer_config.json": #"{"chat_template": null}"#], "old"),
            (["tokenizer_config.json": #"{"chat_template": "new"}"#], nil),
            (["chat_template.jinja": "new", "tokenizer_config.json": "{}"], "new"), (["chat_template.json": "{}"], nil),
        ] as [([String: String], String?)])
    func theChatTemplateStaysUnlessTheTokenizerBringsOne(_ files: [String: String], _ template: String?) throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/old")
            let old = try Checkpoint(directory: directory + "/old")
            for name in ["chat_template.jinja", "tokenizer.model"] { try writeText("\(directory)/old/\(name)", "old") }
            var rewriter = try CheckpointRewriter(
                directory + "/new", from: old,
                shards: [ShardPlan(name: "model.safetensors", tensors: [], source: old.shards[0].path)], moves: [:],
                linking: false, replacing: false)
            for (name, text) in files { try writeText(rewriter.path(of: name), text) }
            try rewriter.copyWeights()
            try rewriter.finish(config: old.config.json)
            let kept = try? readFile(directory + "/new/chat_template.jinja")
            #expect(kept == template.map { Array($0.utf8) })
            let names = try entries(directory + "/new")
            #expect(names.contains("tokenizer.model") == (files["tokenizer.model"] != nil))
        }
    }

    @Test func droppedItLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            let (old, _) = try checkpoint(in: directory + "/old")
            do {
                var rewriter = try CheckpointRewriter(
                    directory + "/new", from: old,
                    shards: [ShardPlan(name: "model.safetensors", tensors: old.tensors.map { TensorPlan($0) })],
                    moves: [:], linking: false, replacing: false)
                try rewriter.copyWeights()
            }
            let left = try entries(directory)
            #expect(left == ["old"])
        }
    }

    /// The order of transformers 5 and huggingface_hub: by name, numbers as such; a tensor too large for a shard comes
    /// before the one that is being filled.
    @Test func shardsAreDealtAsHuggingFaceDoes() throws {
        let plans = [("x.10.d", 4), ("x.b", 30), ("x.2.c", 4), ("w", 4), ("x.10.e", 2)].map {
            TensorPlan(name: $0.0, type: .uint8, shape: [$0.1])
        }
        let shards = try ShardPlan.shards(of: plans, maximumSize: 10)
        #expect(shards.map { $0.tensors.map(\.name) } == [["w", "x.2.c"], ["x.b"], ["x.10.d", "x.10.e"]])
        #expect(shards.map(\.name).first == "model-00001-of-00003.safetensors")
    }
}
