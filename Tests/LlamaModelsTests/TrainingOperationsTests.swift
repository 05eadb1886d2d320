import LlamaModels
import TestSupport
import Testing
import Torch

@Suite struct TrainingOperationsTests {
    /// Products of every matrix of the fixture, one pass: 2 operations for each weight.
    private func operations(_ set: TrainableSet?, blockSize: Int) throws -> Double {
        let model = try LlamaModel(directory: fixture("llama/grouped"))
        if let set { try model.prepareTraining(set, seed: 1) }
        return model.trainingOperations(blockSize: blockSize)
    }

    private func sizes() throws -> (projections: Double, head: Double, attention: (Int) -> Double, model: LlamaModel) {
        let model = try LlamaModel(directory: fixture("llama/grouped"))
        let configuration = model.configuration
        let projections = try model.weights().filter { $0.name.contains("_proj.weight") }
            .reduce(0.0) { $0 + Double($1.tensor.count) }
        let head = Double(configuration.vocabularySize * configuration.width)
        let width = Double(configuration.layerCount * configuration.headCount * configuration.headWidth)
        return (projections, head, { 4 * width * Double($0 + 1) / 2 }, model)
    }

    @Test func aFrozenModelOnlyGoesForward() throws {
        let sizes = try sizes()
        let expected = 2 * (sizes.projections + sizes.head) + sizes.attention(16)
        #expect(try operations(nil, blockSize: 16) == expected)
    }

    @Test func whereEverythingTrainsEachProductHasTwoGradients() throws {
        let sizes = try sizes()
        let expected = 6 * (sizes.projections + sizes.head) + 3 * sizes.attention(16)
        #expect(try operations(.all, blockSize: 16) == expected)
    }

    @Test func frozenProjectionsHaveNoGradientOfTheirOwn() throws {
        let sizes = try sizes()
        let both = 4 * sizes.projections + 6 * sizes.head + 3 * sizes.attention(8)
        #expect(try operations(.embeddings(EmbeddingRows()), blockSize: 8) == both)
        let half = sizes.model.configuration.vocabularySize / 2
        let rest = Double((sizes.model.configuration.vocabularySize - half) * sizes.model.configuration.width)
        let newRows = 4 * sizes.projections + 4 * sizes.head + 2 * rest + 3 * sizes.attention(8)
        #expect(try operations(.embeddings(EmbeddingRows(firstRow: half)), blockSize: 8) == newRows)
    }

    @Test func anAdapterAddsItsFactors() throws {
        let lora = LoRAConfiguration(rank: 2, targets: [.query])
        let configuration = try sizes().model.configuration
        let factors = 2 * (configuration.width + configuration.headCount * configuration.headWidth)
        let added = 6 * Double(factors * configuration.layerCount)
        let without = try operations(.embeddings(EmbeddingRows()), blockSize: 8)
        #expect(try operations(.lora(lora), blockSize: 8) == without + added)
    }
}
