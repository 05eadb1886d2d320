import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

@testable import Checkpoints

struct AdapterTests {
    private let query = "model.layers.0.self_attn.q_proj.weight"

    private var config: AdapterConfig {
        AdapterConfig(
            baseModel: "base", rank: 2, alpha: 8, dropout: 0.05, targetModules: ["q_proj"],
            modulesToSave: ["embed_tokens", "lm_head"])
    }

    private var plans: [TensorPlan] {
        let factors = Adapter.factorNames(of: query)
        return [
            TensorPlan(name: factors.a, type: .float32, shape: [2, 4]),
            TensorPlan(name: factors.b, type: .float32, shape: [4, 2]),
            TensorPlan(
                name: Adapter.replacementName(of: "model.embed_tokens.weight"), type: .float32, shape: [6, 4]),
        ]
    }

    private func write(_ path: String, _ plans: [TensorPlan]) throws {
        try writeAdapter(to: path, config: config, tensors: plans, replacing: false) { tensor, sink in
            try content(of: TensorPlan(tensor)).withUnsafeBytes { bytes in
                try sink(UnsafeRawBufferPointer(rebasing: bytes.prefix(5)))
                try sink(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(5)))
            }
        }
    }

    @Test func whatIsWrittenIsRead() throws {
        try withTemporaryDirectory { directory in
            try write(directory + "/a", plans)
            let adapter = try Adapter(directory: directory + "/a")
            #expect(adapter.config == config)
            #expect(adapter.config.scaling == 4)
            #expect(adapter.updates[query]?.a.name == "base_model.\("model").\(query.dropLast(7)).lora_A.weight")
            #expect(Array(adapter.replacements.keys) == ["model.embed_tokens.weight"])
            #expect(try adapter.file.withUnsafeBytes(of: plans[1].name) { Array($0) } == content(of: plans[1]))
        }
    }

    /// `json.dumps(..., indent=2, sort_keys=True)` of these values, no final newline.
    @Test func configIsSpelledAsPEFTDoes() throws {
        #expect(
            config.json.text(.huggingFace) == """
                {
                  "auto_mapping": null,
                  "base_model_name_or_path": "base",
                  "bias": "none",
                  "fan_in_fan_out": false,
                  "inference_mode": true,
                  "init_lora_weights": true,
                  "layers_pattern": null,
                  "layers_to_transform": null,
                  "lora_alpha": 8,
                  "lora_dropout": 0.05,
                  "modules_to_save": [
                    "embed_tokens",
                    "lm_head"
                  ],
                  "peft_type": "LORA",
                  "r": 2,
                  "revision": null,
                  "target_modules": [
                    "q_proj"
                  ],
                  "task_type": "CAUSAL_LM"
                }
                """)
    }

    @Test func copiesThatPEFTLeavesAreIgnored() throws {
        try withTemporaryDirectory { directory in
            let extra = ["original_module.weight", "modules_to_save.weight"].map {
                TensorPlan(name: "base_model.model.model.embed_tokens.\($0)", type: .float32, shape: [6, 4])
            }
            try write(directory + "/a", plans + extra)
            let adapter = try Adapter(directory: directory + "/a")
            #expect(Array(adapter.replacements.keys) == ["model.embed_tokens.weight"])
        }
    }

    @Test(arguments: [
        ("base_model.model.model.layers.0.self_attn.q_proj.lora_magnitude_vector", "PEFT's merge_and_unload"),
        ("base_model.model.model.embed_tokens.lora_embedding_A", "neither a matrix's factor nor a whole weight"),
        ("base_model.model.model.embed_tokens.token_adapter.trainable_tokens_delta", "PEFT's merge_and_unload"),
        ("model.layers.0.self_attn.k_proj.lora_A.weight", "whose name is not as PEFT saves it"),
        ("base_model.model.model.layers.0.self_attn.k_proj.lora_A.default.weight", "PEFT's save_pretrained"),
        ("base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight", "has lora_A but no lora_B"),
        ("base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight", "has lora_B but no lora_A"),
        ("base_model.model.model.layers.0.self_attn.q_proj.weight", "both updates and replaces"),
    ])
    func tensorsThatDoNotBelong(_ name: String, _ reason: String) throws {
        try withTemporaryDirectory { directory in
            let text = message {
                try write(directory + "/a", plans + [TensorPlan(name: name, type: .float32, shape: [2, 4])])
            }
            #expect(text.contains(reason))
            let left = try entries(directory)
            #expect(left == [])
        }
    }

    @Test func factorsThatTheConfigDoesNotTargetAreRefused() throws {
        try withTemporaryDirectory { directory in
            let names = Adapter.factorNames(of: "model.layers.0.self_attn.k_proj.weight")
            let factors = [
                TensorPlan(name: names.a, type: .float32, shape: [2, 4]),
                TensorPlan(name: names.b, type: .float32, shape: [4, 2]),
            ]
            let text = message { try write(directory + "/a", plans + factors) }
            #expect(text.contains("updates \"model.layers.0.self_attn.k_proj.weight\", which adapter_config.json"))
        }
    }

    @Test func fileWithoutTensorsIsRefused() throws {
        try withTemporaryDirectory { directory in
            #expect(message { try write(directory + "/a", []) }.contains("holds no tensor of an adapter; save"))
        }
    }

    @Test(arguments: [[2, 4, 1], [8], [], [2, 0]])
    func factorsThatAreNoMatricesOfTheRank(_ shape: [Int]) throws {
        try withTemporaryDirectory { directory in
            var plans = plans
            (plans[0].shape, plans[1].shape) = (shape, [1 << 62, 0])
            #expect(message { try write(directory + "/a", plans) }.contains("do not fit rank 2"))
        }
    }

    @Test func rankMustFitTheFactors() throws {
        try withTemporaryDirectory { directory in
            var plans = plans
            plans[0].shape = [3, 4]
            let text = message { try write(directory + "/a", plans) }
            #expect(text.contains("do not fit rank 2"))
        }
    }

    @Test(arguments: [
        "{\"peft_type\": \"IA3\"}", "{}", "{\"peft_type\": \"LORA\", \"use_dora\": true}",
        "{\"peft_type\": \"LORA\", \"r\": 0}", "{\"peft_type\": \"LORA\", \"bias\": \"all\"}",
        "{\"peft_type\": \"LORA\", \"alpha_pattern\": {\"q\": 1}}",
        "{\"peft_type\": \"LORA\", \"fan_in_fan_out\": true}",
        "", "<html>", "{\"peft_type\": \"LORA\", \"lora_alpha\": \"x\"}",
        "{\"peft_type\": \"LORA\", \"lora_alpha\": 1e999}", "{\"peft_type\": \"LORA\", \"r\": 1.5}",
        "{\"peft_type\": \"LORA\", \"r\": 9223372036854775808}", "{\"peft_type\": \"LORA\", \"r\": -8}",
        "[]", "{\"peft_type\":", "{\"peft_type\": \"LORA\", \"r\": 8, \"r\": 8}",
        "version https://git-lfs.github.com/spec/v1\n", String(repeating: "[", count: 100_000),
    ])
    func configsThatMeanSomethingElse(_ text: String) throws {
        try withTemporaryDirectory { directory in
            try writeText(directory + "/adapter_config.json", text)
            #expect(throws: CheckpointError.self) {
                _ = try AdapterConfig(contentsOf: directory + "/adapter_config.json")
            }
        }
    }

    @Test func pickledAdapterIsRefusedWithAWayOut() throws {
        try withTemporaryDirectory { directory in
            try writeText(directory + "/adapter_config.json", "{\"peft_type\": \"LORA\", \"target_modules\": []}")
            try writeText(directory + "/adapter_model.bin", "PK")
            #expect(message { _ = try Adapter(directory: directory) }.contains("safe_serialization=True"))
        }
    }

    @Test func shortHandOverLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: SafetensorsError.self) {
                try writeAdapter(to: directory + "/a", config: config, tensors: plans, replacing: false) { _, _ in }
            }
            let left = try entries(directory)
            #expect(left == [])
        }
    }
}
