import LlamaModels
import TestSupport
import Testing
import Torch

@Suite struct LlamaModelTests {
    private let directory = fixture("llama/grouped")

    /// One block of two documents, of 5 and 7 tokens.
    private func packed(first: [Int32]) -> TokenBatch {
        let second: [Int32] = [7, 1, 30, 39, 2, 2, 11]
        return TokenBatch(
            batchSize: 1, blockSize: 12, tokens: first + second, targets: Array(first.dropFirst()) + [2] + second,
            positions: [0, 1, 2, 3, 4, 0, 1, 2, 3, 4, 5, 6], documents: [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1])
    }

    @Test func aDocumentsLogitsDoNotMoveByOneBitWhenItsNeighbourChanges() throws {
        let model = try LlamaModel(directory: directory)
        func logits(_ first: [Int32]) throws -> (first: [Float], second: [Float]) {
            let values = try model.logits(packed(first: first)).floats()
            return (Array(values[..<(5 * 40)]), Array(values[(5 * 40)...]))
        }
        let (one, other) = (try logits([3, 4, 5, 6, 7]), try logits([30, 22, 1, 0, 13]))
        #expect(one.second == other.second)
        #expect(one.first != other.first)
    }

    @Test func aLaterTokenChangesNothingBeforeIt() throws {
        let model = try LlamaModel(directory: directory)
        func logits(_ last: Int32) throws -> [Float] {
            try model.logits(TokenBatch(blocks: [[1, 2, 3, 4, last]])).floats()
        }
        let (one, other) = (try logits(5), try logits(6))
        #expect(one[..<160] == other[..<160])
        #expect(one[160...] != other[160...])
    }

    @Test func trainingRowsFromOneOnLeavesTheOthersBitForBit() throws {
        let model = try LlamaModel(directory: directory)
        let before = try LlamaModel(directory: directory)
        try model.prepareTraining(.embeddings(EmbeddingRows(firstRow: 30)), seed: 0)
        let full = try LlamaModel(directory: directory)
        try full.prepareTraining(.embeddings(), seed: 0)
        #expect(model.trainableParameters.map(\.tensor.shape) == [[10, 16], [10, 16]])
        let batch = packed(first: [3, 35, 5, 6, 31])
        for model in [model, full] { try model.backward(model.lossSum(batch, training: true), scale: 1) }
        for (rows, all) in zip(model.trainableParameters, full.trainableParameters) {
            let expected = try #require(try all.tensor.gradient()).floats()[(30 * 16)...]
            let difference = try largestDifference(#require(try rows.tensor.gradient()), Array(expected))
            let scale = expected.map(\.magnitude).max() ?? 0
            print("rows from 30 on: the gradient differs by \(difference) where its largest value is \(scale)")
            #expect(difference < 1e-6 * scale)
        }
        try AdamW(parameters: model.trainableParameters).step(learningRate: 0.1)
        let (old, new) = (try before.weights(), try model.weights())
        for ((name, old), (_, new)) in zip(old, new) {
            let (oldBytes, newBytes) = (try old.bytes(), try new.bytes())
            let isTrained = name == "model.embed_tokens.weight" || name == "lm_head.weight"
            let frozenBytes = isTrained ? 30 * 16 * 4 : oldBytes.count
            #expect(oldBytes[..<frozenBytes] == newBytes[..<frozenBytes])
            #expect((oldBytes != newBytes) == isTrained)
        }
    }

    @Test func dropoutFollowsTheSeedOfTheMicroBatchAndOnlyInTraining() throws {
        let model = try LlamaModel(directory: directory)
        let plain = try model.lossSum(packed(first: [1, 2, 3, 4, 5]), training: false).scalar()
        try model.prepareTraining(.lora(LoRAConfiguration(rank: 4, dropout: 0.5)), seed: 11)
        func loss(training: Bool, seed: UInt64) throws -> Float {
            try model.lossSum(packed(first: [1, 2, 3, 4, 5]), training: training, seed: seed).scalar()
        }
        #expect(try loss(training: true, seed: 1) == plain)
        for (name, tensor) in model.trainableParameters where name.contains("lora_B") {
            try tensor.assign(Tensor([Float](repeating: 0.1, count: tensor.count), shape: tensor.shape))
        }
        #expect(try loss(training: true, seed: 1) == loss(training: true, seed: 1))
        #expect(try loss(training: true, seed: 1) != loss(training: true, seed: 2))
        #expect(try loss(training: false, seed: 1) == loss(training: false, seed: 2))
        #expect(try loss(training: false, seed: 1) != plain)
    }

    @Test func loraStartsWithKaimingsBoundAndAZeroProduct() throws {
        func start(_ seed: UInt64) throws -> [(name: String, tensor: Tensor)] {
            let model = try LlamaModel(directory: directory)
            try model.prepareTraining(.lora(LoRAConfiguration(targets: [.value, .query, .down])), seed: seed)
            return model.trainableParameters
        }
        let parameters = try start(5)
        let prefix = "base_model.model.model.layers.0."
        #expect(
            parameters.prefix(3).map(\.name) == [
                prefix + "self_attn.q_proj.lora_A.weight", prefix + "self_attn.q_proj.lora_B.weight",
                prefix + "self_attn.v_proj.lora_A.weight",
            ])
        #expect(
            parameters.suffix(2).map(\.name) == [
                "base_model.model.model.embed_tokens.weight", "base_model.model.lm_head.weight",
            ])
        #expect(parameters.count == 2 * 2 * 3 + 2)
        for (name, tensor) in parameters where name.contains("lora") {
            let values = try tensor.floats().map(\.magnitude)
            let bound = 1 / Float(tensor.shape[1]).squareRoot()
            let largest = try #require(values.max())
            #expect(name.contains("lora_B") ? largest == 0 : largest <= bound && largest > 0.9 * bound)
        }
        #expect(try parameters[0].tensor.bytes() == start(5)[0].tensor.bytes())
        #expect(try parameters[0].tensor.bytes() != start(6)[0].tensor.bytes())
        #expect(try parameters[0].tensor.bytes() != parameters[2].tensor.bytes())
    }

    @Test func frozenWeightsGetNoGradient() throws {
        let model = try LlamaModel(directory: directory)
        try model.prepareTraining(.lora(), seed: 0)
        try model.backward(model.lossSum(packed(first: [1, 2, 3, 4, 5]), training: true), scale: 1)
        let trained = Set(model.trainableParameters.map { $0.name.replacing("base_model.model.", with: "") })
        for (name, tensor) in try model.weights() where !trained.contains(name) {
            #expect(!tensor.requiresGradient)
            #expect(try tensor.gradient() == nil)
        }
        for (_, tensor) in model.trainableParameters { #expect(try tensor.gradient() != nil) }
    }

    @Test func theThreadsDoNotChangeABit() throws {
        func gradients(threads: Int) throws -> [[UInt8]] {
            try TorchRuntime.setThreads(threads)
            let model = try LlamaModel(directory: directory)
            try model.prepareTraining(.lora(LoRAConfiguration(targets: LoRATarget.allCases)), seed: 0)
            let loss = try model.lossSum(packed(first: [1, 2, 3, 4, 5]), training: true, seed: 3)
            try model.backward(loss, scale: 1)
            return try [loss.bytes()] + model.trainableParameters.map { try $0.tensor.gradient()?.bytes() ?? [] }
        }
        let threads = TorchRuntime.threads
        defer { try? TorchRuntime.setThreads(threads) }
        #expect(try gradients(threads: 1) == gradients(threads: 2))
    }

    @Test func aBatchThatDoesNotFitIsRefused() throws {
        let model = try LlamaModel(directory: directory)
        var batches = [TokenBatch](repeating: TokenBatch(blocks: [[1, 2, 3]]), count: 5)
        batches[0].tokens[1] = 40
        batches[1].targets[0] = 40
        batches[2].positions.removeLast()
        batches[3].tokens[0] = -1
        batches[4].batchSize = 0
        for batch in batches { #expect(throws: LlamaModelError.self) { try model.logits(batch) } }
    }
}
