import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

struct RandomCheckpointTests {
    private func config(_ change: (inout ModelConfig) -> Void = { _ in }) -> ModelConfig {
        var config = ModelConfig(
            path: "config.json",
            json: LlamaPreset.nano.config(vocabularySize: 300, beginID: 1, endID: 2, padID: nil))
        change(&config)
        return config
    }

    private func bytes(seed: UInt64, threads: Int, _ change: (inout ModelConfig) -> Void = { _ in }) throws -> [UInt8] {
        try withTemporaryDirectory { directory in
            try writeRandomCheckpoint(
                to: directory + "/m", config: config(change), seed: seed, tokenizerFiles: [], replacing: false,
                threads: threads)
            return try readFile(directory + "/m/model.safetensors")
        }
    }

    @Test func sameSeedSameBytesAtAnyNumberOfThreads() throws {
        let one = try bytes(seed: 5, threads: 1)
        let three = try bytes(seed: 5, threads: 3)
        let other = try bytes(seed: 6, threads: 1)
        #expect(one == three)
        #expect(one != other)
    }

    @Test func weightsAreNormalAndNormsOne() throws {
        try withTemporaryDirectory { directory in
            try writeRandomCheckpoint(
                to: directory + "/m", config: config { $0["attention_bias"] = true }, seed: 1, tokenizerFiles: [],
                replacing: false)
            let checkpoint = try Checkpoint(directory: directory + "/m")
            for tensor in checkpoint.tensors {
                let values = try checkpoint.floats(of: tensor.name)
                if tensor.name.hasSuffix("norm.weight") {
                    #expect(values.allSatisfy { $0 == 1 })
                } else if tensor.name.hasSuffix(".bias") {
                    #expect(values.allSatisfy { $0 == 0 })
                } else {
                    let deviation = (values.reduce(0.0) { $0 + Double($1 * $1) } / Double(values.count)).squareRoot()
                    // Five standard errors.
                    #expect(abs(deviation / 0.02 - 1) < 5 / (2 * Double(values.count)).squareRoot(), "\(tensor.name)")
                }
            }
            #expect(checkpoint.tensors.filter { $0.name.hasSuffix(".bias") }.count == 8)
        }
    }

    @Test func typeAndTieFollowTheConfig() throws {
        let layout = try LlamaLayout(
            config {
                $0["dtype"] = nil
                $0["torch_dtype"] = "bfloat16"
                $0["tie_word_embeddings"] = true
            })
        #expect(layout.tensors.allSatisfy { $0.type == .bfloat16 })
        #expect(!layout.tensors.contains { $0.name == "lm_head.weight" })
    }

    @Test(arguments: LlamaPreset.allCases)
    func presetsFitTogether(_ preset: LlamaPreset) throws {
        let json = preset.config(vocabularySize: 32_000, beginID: 1, endID: 2, padID: nil)
        let layout = try LlamaLayout(ModelConfig(path: "c", json: json))
        #expect(layout.parameterCount > 0)
    }

    @Test(arguments: [
        ("hidden_size", "65"), ("num_key_value_heads", "3"), ("head_dim", "15"), ("vocab_size", "0"),
        ("vocab_size", "9223372036854775807"), ("model_type", "\"gpt2\""), ("dtype", "\"int4\""),
        ("num_hidden_layers", "1e3"), ("intermediate_size", "null"), ("num_attention_heads", "-4"),
        ("attention_bias", "1"),
    ])
    func unfitConfigsAreRefused(_ key: String, _ value: String) throws {
        let config = try config { $0["head_dim"] = .null }.with(key, JSONValue(parsing: value))
        #expect(throws: CheckpointError.self) { _ = try LlamaLayout(config) }
        #expect(message { _ = try LlamaLayout(config) }.contains("\"\(key)\""))
    }
}

extension ModelConfig {
    fileprivate func with(_ key: String, _ value: JSONValue) -> ModelConfig {
        var config = self
        config[key] = value
        return config
    }
}
