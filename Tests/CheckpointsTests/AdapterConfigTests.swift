import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Checkpoints

struct AdapterConfigTests {
    /// Reads a config with these keys besides those that every one has.
    private func config(_ keys: [(String, JSONValue)]) throws -> AdapterConfig {
        try withTemporaryDirectory { directory in
            var json: JSONValue = ["peft_type": "LORA", "r": 2, "lora_alpha": 8, "target_modules": ["q_proj"]]
            for (key, value) in keys { json[key] = value }
            try writeText(directory + "/adapter_config.json", json.text())
            return try AdapterConfig(contentsOf: directory + "/adapter_config.json")
        }
    }

    private func refusal(_ key: String, _ value: JSONValue) -> String {
        message { _ = try config([(key, value)]) }
    }

    @Test(
        arguments: [
            ("use_dora", true), ("use_dora", "true"), ("use_dora", 1), ("use_bdlora", ["nblocks": 2]),
            ("use_qalora", true), ("use_something_new", true), ("fan_in_fan_out", 1), ("lora_bias", true),
            ("alora_invocation_tokens", [1, 2]), ("layer_replication", [[0, 2], [0, 2]]), ("rank_pattern", [1]),
            ("rank_pattern", ["q_proj": 3]), ("alpha_pattern", ["q_proj": 3]), ("target_parameters", ["a.weight"]),
            ("trainable_token_indices", [1]), ("arrow_config", ["top_k": 3]), ("kasa_config", ["beta": 1]),
            ("velora_config", ["scale": 1]), ("monteclora_config", ["num_samples": 8]), ("megatron_config", ["a": 1]),
        ] as [(String, JSONValue)])
    func variantsAreRefusedByName(_ key: String, _ value: JSONValue) {
        let text = refusal(key, value)
        #expect(text.contains("the key \"\(key)\" should be null, false or empty"))
        #expect(text.contains("merge_and_unload"))
    }

    @Test(arguments: ["pissa", "pissa_niter_16", "olora", "OLoRA", "corda", "lora_ga"])
    func startsThatTakeAPartOfTheBaseAreRefused(_ start: String) {
        let text = refusal("init_lora_weights", .string(start))
        #expect(text.contains("init_lora_weights is \"\(start)\"") && text.contains("path_initial_model_for_weight"))
    }

    @Test(arguments: ["loftq", "of_tomorrow"])
    func startsThatMayChangeTheBaseAreRefused(_ start: String) {
        let text = refusal("init_lora_weights", .string(start))
        #expect(text.contains("init_lora_weights is \"\(start)\"") && text.contains("merge_and_unload"))
    }

    @Test(arguments: [true, false, .null, "gaussian", "eva", "orthogonal", "mica"] as [JSONValue])
    func startsThatLeaveTheBaseAreTaken(_ start: JSONValue) throws {
        #expect(try config([("init_lora_weights", start)]).rank == 2)
    }

    @Test(
        arguments: [
            ("r", "2"), ("lora_alpha", "8"), ("lora_dropout", "none"), ("lora_dropout", .number("1e999")),
            ("bias", true), ("use_rslora", "yes"), ("init_lora_weights", 1), ("modules_to_save", ["lm_head", 1]),
            ("modules_to_save", true), ("target_modules", 7), ("target_modules", ["a": 1]), ("exclude_modules", [1]),
            ("layers_to_transform", ["0"]), ("layers_to_transform", 0.5), ("base_model_name_or_path", ["a"]),
            ("target_modules", .strings(repeatElement("q", count: 10_001))),
        ] as [(String, JSONValue)])
    func valuesOfAnotherTypeAreRefusedByName(_ key: String, _ value: JSONValue) {
        #expect(refusal(key, value).contains("adapter_config.json: the key \"\(key)\" should be "))
    }

    /// The keys of PEFT 0.21 with the values that a plain adapter has.
    @Test func configOfTheNewestPEFTIsTaken() throws {
        let found = try config([
            ("alora_invocation_tokens", .null), ("alpha_pattern", [:]), ("arrow_config", .null),
            ("auto_mapping", .null), ("base_model_name_or_path", "base"), ("bias", "none"), ("corda_config", .null),
            ("ensure_weight_tying", false), ("eva_config", .null), ("exclude_modules", .null),
            ("fan_in_fan_out", false), ("inference_mode", true), ("init_lora_weights", true), ("kasa_config", .null),
            ("layer_replication", .null), ("layers_pattern", .null), ("layers_to_transform", .null),
            ("loftq_config", [:]), ("lora_bias", false), ("lora_dropout", 0.05), ("lora_ga_config", .null),
            ("megatron_config", .null), ("megatron_core", "megatron.core"), ("modules_to_save", ["lm_head"]),
            ("monteclora_config", .null), ("peft_version", "0.21.2"), ("qalora_group_size", 16), ("rank_pattern", [:]),
            ("revision", .null), ("target_parameters", .null), ("task_type", "CAUSAL_LM"),
            ("trainable_token_indices", .null), ("use_bdlora", .null), ("use_dora", false), ("use_qalora", false),
            ("use_rslora", false), ("velora_config", .null),
        ])
        #expect(
            found
                == AdapterConfig(
                    baseModel: "base", rank: 2, alpha: 8, dropout: 0.05, targetModules: ["q_proj"],
                    modulesToSave: ["lm_head"]))
    }

    @Test func settingsOfHowItBeganAreNotLookedAt() throws {
        let found = try config([
            ("eva_config", ["rho": 2.0]), ("loftq_config", ["loftq_bits": 4]), ("runtime_config", ["a": false]),
        ])
        #expect(found.targetModules == ["q_proj"])
    }

    @Test func whatIsTargetedIsReadAndWritten() throws {
        let keys: [(String, JSONValue)] = [
            ("target_modules", ["q_proj", "mlp.up_proj"]), ("layers_to_transform", [1, 3]),
            ("exclude_modules", ["1.self_attn.q_proj"]),
        ]
        let found = try config(keys)
        #expect(
            found.targets
                == AdapterTargets(
                    names: ["q_proj", "mlp.up_proj"], layers: [1, 3], excludedNames: ["1.self_attn.q_proj"]))
        for (key, value) in keys { #expect(found.json[key] == value) }
        #expect(try config([("layers_to_transform", 2)]).targets.layers == [2])
        #expect(try config([("layers_to_transform", [])]).targets.layers == nil)
        #expect(try config([("target_modules", .null)]).targetModules == ["q_proj", "v_proj"])
    }

    @Test func patternsAreReadAndWritten() throws {
        let found = try config([("target_modules", ".*_proj"), ("exclude_modules", ".*k_proj")])
        #expect(found.targets == AdapterTargets(names: [], pattern: ".*_proj", excludedPattern: ".*k_proj"))
        #expect(found.json["target_modules"] == ".*_proj" && found.json["exclude_modules"] == ".*k_proj")
    }

    @Test func configOfManyBytesIsRefusedUnread() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/adapter_config.json"
            try writeText(path, "{\"peft_type\": \"LORA\"" + String(repeating: " ", count: largestJSONObject) + "}")
            let text = message { _ = try AdapterConfig(contentsOf: path) }
            #expect(text.hasPrefix("\(path): has ") && text.contains("at most \(largestJSONObject) are read"))
        }
    }
}

/// Beside what PEFT 0.21's check_target_module_exists says.
struct AdapterTargetsTests {
    private let query = "model.layers.12.self_attn.q_proj"

    @Test(
        arguments: [
            (["q_proj"], true), (["self_attn.q_proj"], true), (["model.layers.12.self_attn.q_proj"], true),
            (["12.self_attn.q_proj"], true), (["proj"], false), (["attn.q_proj"], false),
            (["2.self_attn.q_proj"], false),
            (["k_proj", "v_proj"], false), ([], false), ([""], false), (["k_proj", "q_proj"], true),
        ] as [([String], Bool)])
    func namesStandForModulesByTheirEndsAtDots(_ names: [String], _ isMeant: Bool) {
        #expect(AdapterTargets(names: names).contains(query) == isMeant)
    }

    @Test(arguments: [([12], true), ([1, 2], false), ([3, 12], true), ([], false)] as [([Int], Bool)])
    func layersNarrowTheNames(_ layers: [Int], _ isMeant: Bool) {
        #expect(AdapterTargets(names: ["q_proj"], layers: layers).contains(query) == isMeant)
    }

    @Test func moduleOutsideTheLayersIsInNone() {
        let targets = AdapterTargets(names: ["lm_head", "q_proj"], layers: [0])
        #expect(targets.contains("lm_head") == false)
        #expect(targets.contains("model.layers.99999999999999999999.q_proj") == false)
    }

    @Test func excludedNamesGoBeforeAll() {
        #expect(AdapterTargets(names: ["q_proj"], excludedNames: ["12.self_attn.q_proj"]).contains(query) == false)
        #expect(AdapterTargets(names: ["q_proj"], excludedNames: ["k_proj"]).contains(query) == true)
        #expect(AdapterTargets(names: [], pattern: "all-linear", excludedNames: ["q_proj"]).contains(query) == false)
    }

    @Test func allLinearIsEveryMatrixButTheVocabularys() {
        let targets = AdapterTargets(names: [], pattern: "All-Linear")
        #expect(targets.contains(query) == true)
        #expect(targets.contains("lm_head") == false)
        #expect(targets.contains("model.embed_tokens") == false)
    }

    @Test func regularExpressionsAreLeftOpen() {
        #expect(AdapterTargets(names: [], pattern: ".*q_proj").contains(query) == nil)
        #expect(AdapterTargets(names: ["k_proj"], excludedPattern: "x").contains(query) == nil)
    }
}
