import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

/// Each way a directory can be wrong gives one sentence that names the file at fault.
struct HostileCheckpointTests {
    /// Opens a copy of the small checkpoint, in three shards, after `change`.
    private func messageAfter(
        shardSize: Int = 100, _ change: (_ directory: String, _ index: String) throws -> Void
    ) throws -> String {
        try withTemporaryDirectory { directory in
            let path = directory + "/c"
            try writeSmallCheckpoint(path, maximumShardSize: shardSize)
            try change(path, path + "/model.safetensors.index.json")
            let text = message { _ = try Checkpoint(directory: path) }
            #expect(!text.contains("\n"))
            return text.replacingOccurrences(of: directory, with: "")
        }
    }

    private func edit(_ path: String, _ old: String, _ new: String) throws {
        let text = String(decoding: try readFile(path), as: UTF8.self)
        #expect(text.contains(old))
        try writeText(path, text.replacingOccurrences(of: old, with: new))
    }

    @Test func soundCheckpointOpens() throws {
        #expect(try messageAfter { _, _ in } == "nothing was thrown")
    }

    @Test func absentDirectory() {
        #expect(throws: FileError.missing(path: "/no/such")) { _ = try Checkpoint(directory: "/no/such") }
    }

    @Test func noConfig() throws {
        let text = try messageAfter { path, _ in unlink(path + "/config.json") }
        #expect(text.hasPrefix("/c: no config.json"))
    }

    @Test(arguments: ["", "<html>", "[1]", "{\"vocab_size\": 6", "version https://git-lfs.github.com/spec/v1\n"])
    func unreadableConfig(_ content: String) throws {
        let text = try messageAfter { path, _ in try writeText(path + "/config.json", content) }
        #expect(text.hasPrefix("/c/config.json: "))
    }

    @Test func noWeights() throws {
        let text = try messageAfter(shardSize: .max) { path, _ in unlink(path + "/model.safetensors") }
        #expect(text.contains("neither model.safetensors nor"))
    }

    @Test func picklesOnly() throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            unlink(path + "/model.safetensors")
            try writeText(path + "/pytorch_model.bin", "PK")
        }
        #expect(text.contains("pytorch_model.bin") && text.contains("safe_serialization=True"))
    }

    @Test func ofSeveralPicklesOneWithWeightsIsNamed() throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            unlink(path + "/model.safetensors")
            for name in ["optimizer.pt", "training_args.bin", "consolidated.00.pth", "a.bin"] {
                try writeText("\(path)/\(name)", "PK")
            }
        }
        #expect(text.contains("only as a pickle (consolidated.00.pth)"))
    }

    @Test(arguments: ["training_args.bin", "optimizer.pt", "scheduler.pt", "pytorch_model.bin.index.json"])
    func whatTrainingLeavesIsNoPickleOfWeights(_ name: String) throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            unlink(path + "/model.safetensors")
            try writeText("\(path)/\(name)", "PK")
        }
        #expect(text.contains("neither model.safetensors nor"))
    }

    @Test(arguments: ["model.safetensors", "model.safetensors.index.json", "config.json"])
    func aLinkThatLeadsNowhereIsToldWithWhereItLeads(_ name: String) throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            unlink(path + "/model.safetensors")
            unlink("\(path)/\(name)")
            symlink("../../blobs/0123abcd", "\(path)/\(name)")
        }
        #expect(text.hasPrefix("/c/\(name): is a link to ../../blobs/0123abcd, where nothing is"))
    }

    @Test func pickleUnderTheRightName() throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            try writeText(path + "/model.safetensors", "PK\u{3}\u{4}archive/data.pkl and so on")
        }
        #expect(text.hasPrefix("/c/model.safetensors: is a PyTorch pickle"))
    }

    @Test func shardMissing() throws {
        let text = try messageAfter { path, _ in unlink(path + "/model-00002-of-00003.safetensors") }
        #expect(text.contains("names the shard model-00002-of-00003.safetensors, which is not there"))
    }

    @Test func shardTruncated() throws {
        let text = try messageAfter { path, _ in
            let shard = path + "/model-00002-of-00003.safetensors"
            try writeFile(shard, try readFile(shard).dropLast())
        }
        #expect(text.hasPrefix("/c/model-00002-of-00003.safetensors: the file should be"))
    }

    @Test func shardIsALFSPointer() throws {
        let text = try messageAfter { path, _ in
            try writeText(
                path + "/model-00001-of-00003.safetensors", "version https://git-lfs.github.com/spec/v1\noid 1\n")
        }
        #expect(text.contains("Git LFS pointer"))
    }

    @Test func tensorAbsentFromItsShard() throws {
        let text = try messageAfter { _, index in try edit(index, "\"model.norm.weight\"", "\"model.norm.bias\"") }
        #expect(text.contains("places tensor model.norm.bias in model-00003"))
    }

    @Test func tensorNotListed() throws {
        let text = try messageAfter { _, index in
            try edit(index, ",\n    \"model.norm.weight\": \"model-00003-of-00003.safetensors\"", "")
        }
        #expect(text.contains("does not list tensor model.norm.weight"))
    }

    @Test func tensorInTwoShards() throws {
        let text = try messageAfter { path, index in
            try copyFile(
                from: path + "/model-00003-of-00003.safetensors", to: path + "/model-00004-of-00003.safetensors")
            try edit(
                index, "\"model.norm.weight\": \"model-00003-of-00003",
                "\"model.norm.weight\": \"model-00004-of-00003")
        }
        #expect(
            text.contains(
                "places tensor model.norm.weight in model-00004-of-00003.safetensors, "
                    + "but model-00003-of-00003.safetensors holds one of that name too"))
    }

    @Test func configOfManyBytesIsRefusedUnread() throws {
        let text = try messageAfter { path, _ in
            try writeText(path + "/config.json", "{\"a\": [" + String(repeating: "0,", count: 5_000_000) + "0]}")
        }
        #expect(text.hasPrefix("/c/config.json: has ") && text.contains("bytes, where at most 10000000 are read"))
    }

    @Test(arguments: [(1, 2), (2, 1), (2, 3), (3, 2)])
    func `of an unsound and a missing shard the first by name is told`(unsound: Int, missing: Int) throws {
        let text = try messageAfter { path, _ in
            try writeText(path + "/model-0000\(unsound)-of-00003.safetensors", "nonsense")
            unlink(path + "/model-0000\(missing)-of-00003.safetensors")
        }
        let name = "model-0000\(min(unsound, missing))-of-00003.safetensors"
        #expect(
            text.hasPrefix(
                unsound < missing ? "/c/\(name): " : "/c/model.safetensors.index.json: names the shard \(name)"))
    }

    @Test(arguments: [
        "{\"a\": 1, \"a\": 2}", "{\"weight_map\": {\"a\": \"x\", \"\\u0061\": \"y\"}}", "{\"b\": {\"a\": 1, \"a\": 1}}",
    ])
    func repeatedKeysInTheIndex(_ content: String) throws {
        let text = try messageAfter { _, index in try writeText(index, content) }
        #expect(text.contains("the key \"a\" is repeated"))
    }

    @Test(arguments: ["../model-00002-of-00003.safetensors", "/etc/passwd", "..", "", "a/b", "x\\u0000"])
    func pathTraversal(_ name: String) throws {
        let text = try messageAfter { _, index in try edit(index, "model-00002-of-00003.safetensors", name) }
        #expect(text.contains("leads out of the directory"))
    }

    @Test(arguments: ["", "{}", "[]", "{\"weight_map\": {}}", "{\"weight_map\": {\"a\": 1}}", "{\"weight_map\": []}"])
    func unreadableIndex(_ content: String) throws {
        let text = try messageAfter { _, index in try writeText(index, content) }
        #expect(text.hasPrefix("/c/model.safetensors.index.json: "))
    }

    @Test func symbolicLinkLoop() throws {
        let text = try messageAfter(shardSize: .max) { path, _ in
            unlink(path + "/model.safetensors")
            symlink("model.safetensors", path + "/model.safetensors")
        }
        #expect(text.contains("/c"))
        #expect(text != "nothing was thrown")
    }

    @Test(arguments: ["config.json", "model.safetensors.index.json", "model-00002-of-00003.safetensors"])
    func symbolicLinkLoopUnderAnyName(_ name: String) throws {
        let text = try messageAfter { path, _ in
            unlink(path + "/" + name)
            symlink(name, path + "/" + name)
        }
        #expect(text.hasPrefix("/c"))
    }

    @Test func directoryThatIsALoop() throws {
        try withTemporaryDirectory { directory in
            symlink("c", directory + "/c")
            #expect(throws: FileError.missing(path: directory + "/c")) {
                _ = try Checkpoint(directory: directory + "/c")
            }
        }
    }

    /// As in Hugging Face's cache, whose snapshots are links to blobs beside them.
    @Test func shardThatIsALinkOutOfTheDirectoryIsFollowed() throws {
        let text = try messageAfter { path, _ in
            let shard = path + "/model-00002-of-00003.safetensors"
            try FileManager.default.moveItem(atPath: shard, toPath: path + "/../blob")
            symlink("../blob", shard)
        }
        #expect(text == "nothing was thrown")
    }

    @Test(arguments: ["directory", "FIFO"])
    func shardThatIsNoFile(_ kind: String) throws {
        let text = try messageAfter { path, _ in
            let shard = path + "/model-00002-of-00003.safetensors"
            unlink(shard)
            _ = kind == "FIFO" ? mkfifo(shard, 0o600) : mkdir(shard, 0o700)
        }
        #expect(text.hasPrefix("/c/model-00002-of-00003.safetensors: "))
    }

    @Test func emptyTensorsWithHugeDimensionsCountForNothing() throws {
        let index = try ShardIndex.json(of: [
            ("a", [TensorPlan(name: "t", type: .uint8, shape: [1 << 62, 2, 0])])
        ])
        #expect(index["metadata"]?["total_parameters"]?.int == 0)
    }

    @Test func wrongTotalSizeIsHarmless() throws {
        #expect(try messageAfter { _, index in try edit(index, "264", "1") } == "nothing was thrown")
    }

    @Test(arguments: ["\"x\"", "0", "-3", "1.5", "null"])
    func vocabularySizeMustBeANumber(_ value: String) throws {
        let config = ModelConfig(path: "c", json: ["vocab_size": try JSONValue(parsing: value)])
        #expect(throws: CheckpointError.self) { try config.vocabularySize }
    }
}
