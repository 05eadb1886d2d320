import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

struct CheckpointTests {
    @Test(arguments: [Int.max, 100, 96, 64, 1])
    func whatIsWrittenIsRead(_ maximumShardSize: Int) throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/c", maximumShardSize: maximumShardSize)
            let checkpoint = try Checkpoint(directory: directory + "/c")
            #expect(checkpoint.tensors.count == 4)
            for plan in smallPlans {
                #expect(checkpoint[plan.name].map { TensorPlan($0) } == plan)
                #expect(try checkpoint.withUnsafeBytes(of: plan.name) { Array($0) } == content(of: plan))
            }
            #expect(checkpoint.config.json == smallConfig)
            let text = String(decoding: try readFile(directory + "/c/config.json"), as: UTF8.self)
            #expect(text.hasPrefix("{\n  \"zeta\": {") && text.contains("1e-05") && text.hasSuffix("}\n"))
        }
    }

    @Test func contentHashDoesNotDependOnShards() throws {
        try withTemporaryDirectory { directory in
            var hashes: Set<String> = []
            for size in [Int.max, 96, 1] {
                try writeSmallCheckpoint("\(directory)/\(size)", maximumShardSize: size)
                hashes.insert(try Checkpoint(directory: "\(directory)/\(size)").contentHash)
            }
            #expect(hashes.count == 1)
        }
    }

    @Test func contentHashSeesEveryChange() throws {
        try withTemporaryDirectory { directory in
            func hash(_ name: String, _ type: TensorType, _ shape: [Int], _ byte: UInt8) throws -> String {
                let plan = TensorPlan(name: name, type: type, shape: shape)
                try writeSafetensors(directory + "/f", [(plan, [UInt8](repeating: byte, count: 8))])
                return contentHashOfTensors(in: [try SafetensorsFile(directory + "/f")])
            }
            let hashes = [
                try hash("a", .float32, [2], 0), try hash("b", .float32, [2], 0), try hash("a", .int32, [2], 0),
                try hash("a", .float32, [1, 2], 0), try hash("a", .float32, [2], 1),
            ]
            #expect(Set(hashes).count == 5)
        }
    }

    /// Names, metadata and order as transformers 5.23 writes them.
    @Test func shardsAreNamedAndIndexedAsTransformersDoes() throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/c", maximumShardSize: 100)
            #expect(
                try entries(directory + "/c") == [
                    "config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors",
                    "model-00003-of-00003.safetensors", "model.safetensors.index.json",
                ])
            let index = String(
                decoding: try readFile(directory + "/c/model.safetensors.index.json"), as: UTF8.self)
            #expect(
                index == """
                    {
                      "metadata": {
                        "total_parameters": 68,
                        "total_size": 264
                      },
                      "weight_map": {
                        "lm_head.weight": "model-00001-of-00003.safetensors",
                        "model.embed_tokens.weight": "model-00002-of-00003.safetensors",
                        "model.layers.0.self_attn.q_proj.weight": "model-00003-of-00003.safetensors",
                        "model.norm.weight": "model-00003-of-00003.safetensors"
                      }
                    }

                    """)
        }
    }

    @Test func sideFilesLeaveOutWeightsAndTokenizer() throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/c")
            for name in [
                "generation_config.json", "LICENSE", "tokenizer.model", "tokenizer_config.json", "pytorch_model.bin",
                "pytorch_model.bin.index.json", "kuoci.json", ".hidden", "optimizer.pt", "README.md",
                "tokenizer.model.v3",
            ] { try writeText("\(directory)/c/\(name)", "x") }
            try FileManager.default.createDirectory(
                atPath: directory + "/c/original", withIntermediateDirectories: false)
            // Neither of them can be copied; a link to a file can.
            mkfifo(directory + "/c/pipe", 0o600)
            symlink("nowhere", directory + "/c/broken")
            symlink("LICENSE", directory + "/c/NOTICE")
            let checkpoint = try Checkpoint(directory: directory + "/c")
            #expect(try checkpoint.sideFiles == ["LICENSE", "NOTICE", "README.md", "generation_config.json"])
            #expect(
                try checkpoint.tokenizerFiles == ["tokenizer.model", "tokenizer.model.v3", "tokenizer_config.json"])
        }
    }

    @Test(arguments: [
        (["config.json", "model.safetensors"], true), (["config.json", "model.safetensors.index.json"], true),
        (["config.json", "pytorch_model-00001-of-00002.bin"], true), (["config.json", "consolidated.00.pth"], true),
        (["config.json", "tokenizer.model", "training_args.bin"], false), (["model.safetensors"], false), ([], false),
    ])
    func aCheckpointIsAConfigWithWeightsOfAnyKind(_ names: [String], _ isCheckpoint: Bool) throws {
        try withTemporaryFiles(Dictionary(uniqueKeysWithValues: names.map { ($0, "x") })) { directory in
            #expect(Checkpoint.isCheckpoint(directory) == isCheckpoint)
            #expect(!Checkpoint.isCheckpoint(directory + "/config.json"))
        }
    }

    @Test func anOlderDirectoryStaysUnlessReplaced() throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/c")
            #expect(throws: FileError.alreadyExists(path: directory + "/c")) {
                try writeSmallCheckpoint(directory + "/c")
            }
            try writeSmallCheckpoint(directory + "/c", maximumShardSize: 1, replacing: true)
            #expect(try Checkpoint(directory: directory + "/c").shards.count == 4)
            #expect(try entries(directory) == ["c"])
        }
    }

    @Test func missingBytesAndFailedVerificationLeaveNothing() throws {
        struct Refused: Error {}
        try withTemporaryDirectory { directory in
            #expect(throws: SafetensorsError.self) {
                var writer = try CheckpointWriter(directory + "/c", tensors: smallPlans, replacing: false)
                try writer.write([1, 2, 3])
                try writer.finish(config: smallConfig)
            }
            #expect(throws: Refused.self) {
                var writer = try CheckpointWriter(directory + "/c", tensors: smallPlans, replacing: false)
                for tensor in writer.tensors { try writer.write(try content(of: tensor)) }
                try writer.finish(config: smallConfig) { _ in throw Refused() }
            }
            let left = try entries(directory)
            #expect(left == [])
        }
    }

    @Test func shardsAreCopiedAsTheyAre() throws {
        try withTemporaryDirectory { directory in
            try writeSmallCheckpoint(directory + "/a")
            let source = directory + "/a/model.safetensors"
            let writer = try CheckpointWriter(
                directory + "/b",
                shards: [ShardPlan(name: "model.safetensors", tensors: smallPlans, source: source)], replacing: false)
            #expect(writer.tensors == [])
            try writer.finish(config: smallConfig)
            #expect(try readFile(directory + "/b/model.safetensors") == readFile(source))
        }
    }
}
