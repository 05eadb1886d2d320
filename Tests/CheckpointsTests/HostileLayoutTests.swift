import OrderedJSON
import Testing

@testable import Checkpoints

/// Configs that no model can be made of are refused, each with the key at fault.
struct HostileLayoutTests {
    private func layout(_ changes: [String: JSONValue]) throws -> LlamaLayout {
        var config = ModelConfig(
            path: "c",
            json: [
                "vocab_size": 10, "hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 2,
                "num_attention_heads": 2, "num_key_value_heads": 2,
            ])
        for (key, value) in changes { config[key] = value }
        return try LlamaLayout(config)
    }

    @Test func theUnchangedOneIsTaken() throws {
        #expect(try layout([:]).tensors.count == 21)
    }

    @Test(arguments: [
        ("hidden_size", JSONValue.integer(1 << 40)), ("hidden_size", "8"), ("hidden_size", 9), ("hidden_size", 0),
        ("intermediate_size", .integer(Int.max)), ("intermediate_size", .number("18446744073709551616")),
        ("vocab_size", .integer(1 << 25)), ("num_hidden_layers", .integer(1 << 24)), ("num_hidden_layers", -1),
        ("num_attention_heads", 0.5), ("num_key_value_heads", 3), ("num_key_value_heads", 0), ("head_dim", 3),
        ("head_dim", .integer(1 << 40)), ("model_type", "gpt2"), ("dtype", "float4"), ("attention_bias", 2),
        ("tie_word_embeddings", "yes"), ("initializer_range", "wide"),
        ("initializer_range", -0.02), ("initializer_range", .number("1e300")), ("initializer_range", .number("1e999")),
    ])
    func unfitValueIsNamed(_ key: String, _ value: JSONValue) throws {
        let text = message { _ = try layout([key: value]) }
        #expect(text.hasPrefix("c: the key \"\(key)\" should be "))
    }

    @Test func headsTooWideTogether() {
        let text = message {
            _ = try layout(["hidden_size": .integer(1 << 20), "num_attention_heads": .integer(1 << 20), "head_dim": 64])
        }
        #expect(text.hasPrefix("c: the key \"head_dim\" should be at most 16777216"))
    }

    /// The largest that is taken still has a number of parameters.
    @Test func largestSizesDoNotOverflow() throws {
        let most: JSONValue = .integer(1 << 24)
        let found = try layout([
            "vocab_size": most, "hidden_size": most, "intermediate_size": most, "num_hidden_layers": 1024,
            "num_attention_heads": .integer(1 << 8), "num_key_value_heads": .integer(1 << 8),
        ])
        #expect(found.parameterCount > 1 << 60)
    }
}
