import LlamaModels
import TestSupport
import Testing
import Torch

@Suite struct GradientCompletionTests {
    private static let sets: [TrainableSet] = [
        .all, .embeddings(), .embeddings(EmbeddingRows(trainsHead: false)),
        .lora(LoRAConfiguration(rank: 4, dropout: 0.3, targets: LoRATarget.allCases)),
        .lora(LoRAConfiguration(rank: 2, targets: [.up]), embeddings: nil),
    ]

    /// What is told to be complete gets nothing more added, and is told once; the rest is the embedding alone.
    @Test(arguments: ["grouped", "tied"], sets)
    func aGradientThatIsCompleteIsTheLastMicroBatchsEnd(fixtureName: String, set: TrainableSet) throws {
        for checkpoints in [false, true] {
            let model = try LlamaModel(directory: fixture("llama/" + fixtureName))
            try model.prepareTraining(set, seed: 4)
            model.checkpointsActivations = checkpoints
            let parameters = model.trainableParameters
            var told: [(place: Int, gradient: [UInt8]?)] = []
            for number in 0..<2 {
                told = []
                let batch = TokenBatch(blocks: [[1, 5, Int32(number), 30, 22, 7], [3, 4, 9, 11, 13, 2]])
                _ = try model.accumulateGradients(batch, scale: 0.37, seed: UInt64(number)) { place in
                    told.append((place, try? parameters[place].tensor.gradient()?.bytes()))
                }
            }
            for (place, gradient) in told {
                #expect(try gradient == parameters[place].tensor.gradient()?.bytes(), "\(parameters[place].name)")
            }
            let rest = parameters.indices.filter { place in !told.contains { $0.place == place } }
            #expect(told.count + rest.count == parameters.count)
            #expect(rest.allSatisfy { parameters[$0].name.hasSuffix("embed_tokens.weight") })
            #expect(model.gradientOrder.sorted() == Array(parameters.indices))
            let head = parameters.firstIndex { $0.name.hasSuffix("lm_head.weight") }
            if let head { #expect(told.first?.place == head && model.gradientOrder.first == head) }
            if let last = rest.first { #expect(model.gradientOrder.last == last) }
        }
    }
}
