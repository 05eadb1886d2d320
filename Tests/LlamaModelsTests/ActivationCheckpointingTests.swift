import LlamaModels
import TestSupport
import Testing
import Torch

@Suite struct ActivationCheckpointingTests {
    private static let sets: [TrainableSet] = [
        .all, .embeddings(), .embeddings(EmbeddingRows(firstRow: 30)), .embeddings(EmbeddingRows(trainsHead: false)),
        .lora(LoRAConfiguration(rank: 4, dropout: 0.3, targets: LoRATarget.allCases)),
        .lora(LoRAConfiguration(rank: 2, dropout: 0.3, targets: [.up]), embeddings: nil),
    ]

    /// Blocks of two documents, other ones for each seed.
    private func batch(_ seed: Int32) -> TokenBatch {
        let places: [Int32] = Array(0..<24)
        let tokens = places.map { ($0 * 7 + seed) % 40 }
        let targets: [Int32] = tokens.map { $0 % 5 == 0 ? -1 : ($0 + 3) % 40 }
        let positions: [Int32] = places.map { $0 % 12 < 5 ? $0 % 12 : $0 % 12 - 5 }
        let documents: [Int32] = places.map { $0 % 12 < 5 ? 0 : 1 }
        return TokenBatch(
            batchSize: 2, blockSize: 12, tokens: tokens, targets: targets, positions: positions, documents: documents)
    }

    /// The losses of three micro-batches, and every gradient after them.
    private func gradients(_ fixtureName: String, _ set: TrainableSet, checkpoints: Bool) throws -> [[UInt8]] {
        let model = try LlamaModel(directory: fixture("llama/" + fixtureName))
        try model.prepareTraining(set, seed: 4)
        // LoRA's second factor starts at zero, where the first has no gradient.
        for (name, tensor) in model.trainableParameters where name.contains("lora_B") {
            try tensor.assign(Tensor([Float](repeating: 0.1, count: tensor.count), shape: tensor.shape))
        }
        model.checkpointsActivations = checkpoints
        let losses = try (0..<3).map { (number: Int) in
            try model.accumulateGradients(batch(Int32(number)), scale: 0.37, seed: UInt64(number))
        }
        let found = try model.trainableParameters.map { try #require(try $0.tensor.gradient()).bytes() }
        #expect(found.allSatisfy { $0.contains { $0 != 0 } })
        return [losses.flatMap { withUnsafeBytes(of: $0.bitPattern) { Array($0) } }] + found
    }

    @Test(arguments: ["grouped", "tied"], sets)
    func layersComputedAgainGiveTheSameLossesAndGradientsBitForBit(fixtureName: String, set: TrainableSet) throws {
        let kept = try gradients(fixtureName, set, checkpoints: false)
        #expect(try gradients(fixtureName, set, checkpoints: true) == kept)
    }

    @Test func frozenWeightsGetNoGradient() throws {
        let model = try LlamaModel(directory: fixture("llama/grouped"))
        try model.prepareTraining(.lora(LoRAConfiguration(), embeddings: nil), seed: 0)
        model.checkpointsActivations = true
        _ = try model.accumulateGradients(batch(1), scale: 1, seed: 0)
        for (_, tensor) in try model.weights() { #expect(try tensor.gradient() == nil) }
    }
}
