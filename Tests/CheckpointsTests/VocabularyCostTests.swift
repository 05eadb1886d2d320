import Checkpoints
import OrderedJSON
import Testing

@Suite struct VocabularyCostTests {
    private func config(_ entries: Int, tied: Bool) -> ModelConfig {
        var json = LlamaPreset.nano.config(vocabularySize: entries, beginID: 1, endID: 2, padID: nil)
        json["tie_word_embeddings"] = .bool(tied)
        return ModelConfig(path: "config.json", json: json)
    }

    @Test(arguments: [true, false])
    func `a model of any size has as many parameters as its layout`(_ tied: Bool) throws {
        let cost = try VocabularyCost(config(1000, tied: tied))
        for entries in [1, 1000, 49_953] {
            #expect(try cost.parameters(entries: entries) == LlamaLayout(config(entries, tied: tied)).parameterCount)
        }
        #expect(cost.parametersPerEntry == (tied ? 64 : 128))
    }

    @Test func `two moments of four bytes train with each parameter`() throws {
        #expect(try VocabularyCost(config(10, tied: false)).optimizerBytes(entries: 3) == 3 * 128 * 2 * 4)
    }

    @Test func `a token is multiplied by the head and not by the embedding`() throws {
        let cost = try VocabularyCost(config(10, tied: false))
        #expect(cost.weightsPerToken(entries: 100) == cost.otherParameters + 100 * 64)
        #expect(cost.ratio(of: 100, to: 100) == 1 && cost.ratio(of: 200, to: 100) > 1)
    }
}
