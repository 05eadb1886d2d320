import Checkpoints
import LlamaModels
import OrderedJSON
import Testing

@Suite struct LlamaConfigurationTests {
    private static let sound: JSONValue = [
        "model_type": "llama", "vocab_size": 100, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
        "num_attention_heads": 8,
    ]

    private func configuration(_ changes: [String: JSONValue]) throws -> LlamaConfiguration {
        var json = Self.sound
        for (key, value) in changes { json[key] = value }
        return try LlamaConfiguration(ModelConfig(path: "config.json", json: json))
    }

    @Test func whatIsAbsentHasTheDefaultsOfTransformers() throws {
        let plain = try configuration([:])
        #expect(plain.keyValueHeadCount == 8)
        #expect(plain.headWidth == 8)
        #expect(plain.normEpsilon == 1e-6)
        #expect(plain.rotaryBase == 10000)
        #expect(!plain.tiesWordEmbeddings && !plain.hasAttentionBias && !plain.hasInnerBias)
        #expect(plain.slidingWindow == nil)
    }

    @Test func theRotaryBaseIsReadWhereEitherVersionWritesIt() throws {
        #expect(try configuration(["rope_theta": 5e5]).rotaryBase == 5e5)
        #expect(try configuration(["rope_parameters": ["rope_theta": 1e6, "rope_type": "default"]]).rotaryBase == 1e6)
        #expect(try configuration(["rope_theta": 500, "rope_scaling": .null]).rotaryBase == 500)
        #expect(try configuration(["rope_theta": 500, "rope_scaling": ["type": "default"]]).rotaryBase == 500)
    }

    @Test(
        arguments: [
            (["rope_scaling": ["type": "yarn", "factor": 4]], "rope_scaling is of type yarn"),
            (["rope_parameters": ["rope_type": "llama3", "rope_theta": 5e5]], "rope_parameters is of type llama3"),
            (["num_attention_heads": 7], "hidden_size is 64"),
            (["num_key_value_heads": 3], "num_key_value_heads is 3"),
            (["num_key_value_heads": 16], "num_key_value_heads is 16"),
            (["head_dim": 7], "head_dim is 7"),
            (["model_type": "gpt2"], "model_type is gpt2"),
            (["hidden_act": "gelu"], "hidden_act is gelu"),
            (["partial_rotary_factor": 0.5], "partial_rotary_factor is 0.5"),
            (["vocab_size": 1_000_000_000], "vocab_size is 1000000000"),
            (["hidden_size": 8, "num_attention_heads": 16], "hidden_size is 8"),
        ] as [([String: JSONValue], String)])
    func whatWouldBeComputedWronglyIsRefusedByName(changes: [String: JSONValue], message: String) {
        let error = #expect(throws: LlamaModelError.self) { try configuration(changes) }
        #expect(error.map { "\($0)" }?.contains(message) == true)
    }

    @Test(arguments: ["vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"])
    func aSizeThatIsMissingOrNotPositiveIsRefused(key: String) {
        #expect(throws: CheckpointError.self) { try configuration([key: .null]) }
        #expect(throws: CheckpointError.self) { try configuration([key: 0]) }
        #expect(throws: CheckpointError.self) { try configuration([key: 2.5]) }
    }
}
