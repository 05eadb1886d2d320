import LlamaModels
import TestSupport
import Testing
import Torch

/// What a model computes otherwise than in float32 by Kuoci's own kernels, beside what it computes so.
@Suite struct PrecisionTests {
    private static let sets: [TrainableSet] = [
        .all, .embeddings(), .embeddings(EmbeddingRows(firstRow: 30)), .embeddings(EmbeddingRows(trainsHead: false)),
        .lora(LoRAConfiguration(rank: 4, dropout: 0.3, targets: LoRATarget.allCases)),
        .lora(LoRAConfiguration(rank: 2, dropout: 0.3, targets: [.up]), embeddings: nil),
    ]
    private static let bf16 = Computation(device: .cpu, precision: .bf16)

    /// Two blocks, of one document or of two each.
    private static func batch(documents: Int32) -> TokenBatch {
        let places: [Int32] = Array(0..<24)
        let tokens = places.map { ($0 * 7 + 5) % 40 }
        let first = { (place: Int32) in documents > 1 && place % 12 >= 5 }
        return TokenBatch(
            batchSize: 2, blockSize: 12, tokens: tokens, targets: tokens.map { $0 % 5 == 0 ? -1 : ($0 + 3) % 40 },
            positions: places.map { first($0) ? $0 % 12 - 5 : $0 % 12 },
            documents: places.map { first($0) ? 1 : 0 })
    }

    private func model(
        _ name: String, _ set: TrainableSet, _ computation: Computation, checkpoints: Bool = false
    ) throws -> LlamaModel {
        let model = try LlamaModel(directory: fixture("llama/" + name), computation: computation)
        try model.prepareTraining(set, seed: 4)
        // LoRA's second factor starts at zero, where the first has no gradient.
        for (name, tensor) in model.trainableParameters where name.contains("lora_B") {
            try tensor.assign(Tensor([Float](repeating: 0.1, count: tensor.count), shape: tensor.shape))
        }
        model.checkpointsActivations = checkpoints
        return model
    }

    /// The loss, and the gradient of each tensor that trains.
    private func gradients(
        of model: LlamaModel, documents: Int32 = 2, scale: Float = 0.37
    ) throws -> (loss: Float, gradients: [[Float]]) {
        let loss = try model.accumulateGradients(Self.batch(documents: documents), scale: scale, seed: 3)
        let found = try model.trainableParameters.map { name, tensor in
            #expect(tensor.element == .float32)
            let gradient = try #require(try tensor.gradient())
            #expect(gradient.element == .float32)
            return try gradient.floats()
        }
        #expect(found.allSatisfy { $0.contains { $0 != 0 } })
        return (loss, found)
    }

    /// The length of the difference, relative to that of `expected`.
    private func distance(_ found: [Float], _ expected: [Float]) -> Double {
        let squares = zip(found, expected).map { a, b in
            (Double(a - b) * Double(a - b), Double(b) * Double(b))
        }
        let (difference, size) = squares.reduce((0, 0)) { ($0.0 + $1.0, $0.1 + $1.1) }
        return (difference / size).squareRoot()
    }

    @Test(arguments: ["grouped", "tied"], sets)
    func libtorchsOperationsGiveTheLossAndGradientsOfOurKernels(name: String, set: TrainableSet) throws {
        for documents: Int32 in [1, 2] {
            let own = try gradients(of: model(name, set, .standard), documents: documents)
            let portable = try withPortableOperations {
                try gradients(of: model(name, set, .standard), documents: documents)
            }
            let loss = (own.loss - portable.loss).magnitude / own.loss
            let distances = zip(portable.gradients, own.gradients).map { distance($0, $1) }
            print(
                "\(name), \(documents) documents: loss differs by \(loss), gradients by \(distances.max() ?? 0), relative"
            )
            #expect(loss < 1e-4)
            #expect(distances.allSatisfy { $0 < 1e-4 })
        }
    }

    @Test(arguments: ["grouped", "tied"], sets)
    func bf16IsNearFloat32(name: String, set: TrainableSet) throws {
        let own = try gradients(of: model(name, set, .standard))
        let half = try gradients(of: model(name, set, Self.bf16))
        let loss = (own.loss - half.loss).magnitude / own.loss
        let distances = zip(half.gradients, own.gradients).map { distance($0, $1) }
        let all = distance(half.gradients.flatMap(\.self), own.gradients.flatMap(\.self))
        print("\(name), bf16: loss differs by \(loss), gradients by \(all), one by \(distances.max() ?? 0), relative")
        #expect(loss < 1e-2)
        #expect(all < 5e-2)
        // With PEFT and PyTorch's autocast, single factors of LoRA differ by 0.25 in the same models.
        #expect(distances.allSatisfy { $0 < 0.25 })
        #expect(half.gradients != own.gradients)
    }

    @Test(arguments: ["grouped", "tied"], sets)
    func layersComputedAgainGiveTheSameBitsInBF16(name: String, set: TrainableSet) throws {
        let kept = try gradients(of: model(name, set, Self.bf16))
        let again = try gradients(of: model(name, set, Self.bf16, checkpoints: true))
        #expect(again.loss == kept.loss)
        #expect(again.gradients == kept.gradients)
    }

    @Test func whatTrainsStartsFromTheStoredNumbers() throws {
        let own = try model("grouped", .all, .standard)
        let half = try model("grouped", .all, Self.bf16)
        for (a, b) in zip(own.trainableParameters, half.trainableParameters) {
            #expect(try a.tensor.bytes() == b.tensor.bytes(), "\(a.name)")
        }
        let rows = try model("grouped", .embeddings(EmbeddingRows(firstRow: 30)), Self.bf16)
        let embedding = try #require(try rows.weights().first { $0.name == "model.embed_tokens.weight" })
        let stored = try #require(try own.weights().first { $0.name == "model.embed_tokens.weight" })
        #expect(try embedding.tensor.bytes() == stored.tensor.bytes())
    }

    @Test func frozenWeightsStandInBF16AndGetNoGradient() throws {
        let model = try model("grouped", .lora(), Self.bf16)
        _ = try gradients(of: model)
        for (name, tensor) in try model.weights() where name.hasSuffix("_proj.weight") {
            #expect(tensor.element == .bfloat16)
            #expect(try tensor.gradient() == nil)
        }
    }

    @Test func cachedTokensHaveTheLogitsOfAWholeSequenceInBF16() throws {
        let model = try LlamaModel(directory: fixture("llama/grouped"), computation: Self.bf16)
        let tokens: [Int32] = [1, 5, 9, 13, 2, 7, 30]
        let whole = try model.logits(TokenBatch(blocks: [tokens])).floats().suffix(40)
        let cache = try KeyValueCache(model.configuration, capacity: 8, computation: Self.bf16)
        _ = try model.logits(continuing: [Continuation(Array(tokens.prefix(3)), cache)])
        let logits = try model.logits(continuing: [Continuation(Array(tokens.dropFirst(3)), cache)])
        #expect(logits.element == .float32)
        let difference = distance(try logits.floats(), Array(whole))
        let exact = try LlamaModel(directory: fixture("llama/grouped")).logits(TokenBatch(blocks: [tokens]))
        let rounding = distance(Array(whole), Array(try exact.floats().suffix(40)))
        print("bf16: cached logits differ by \(difference), from float32 by \(rounding)")
        #expect(difference < 2e-2)
    }

    /// Half precision keeps nothing below 6e-8; the scale brings small gradients above it.
    @Test func aLossScaleSavesSmallGradientsInFP16AndTooLargeAOneIsSeen() throws {
        let half = Computation(device: .cpu, precision: .fp16)
        func norm(_ computation: Computation, gradientScale: Float, lossScale: Double) throws -> Double {
            let model = try model(
                "grouped", .lora(LoRAConfiguration(rank: 4, dropout: 0), embeddings: nil), computation)
            _ = try model.accumulateGradients(
                Self.batch(documents: 2), scale: gradientScale * Float(lossScale), seed: 1)
            return try clipGradientNorm(model.trainableParameters.map(\.tensor), limit: 0, scale: lossScale)
        }
        let small: Float = 1e-9
        let expected = try norm(.standard, gradientScale: small, lossScale: 1)
        let (plain, scaled) = (
            try norm(half, gradientScale: small, lossScale: 1), try norm(half, gradientScale: small, lossScale: 0x1p30)
        )
        print("fp16: norm \(plain) unscaled, \(scaled) scaled, \(expected) in float32")
        #expect(plain < 0.5 * expected)
        #expect(abs(scaled - expected) < 1e-2 * expected)
        #expect(try !norm(half, gradientScale: 1, lossScale: 0x1p40).isFinite)
    }

    @Test(
        .enabled(if: ComputeDevice.cudaCount > 0, "needs a CUDA device and a libtorch that was built for CUDA"),
        arguments: ["grouped", "tied"], sets)
    func aGPUIsNearTheCPU(name: String, set: TrainableSet) throws {
        let own = try gradients(of: model(name, set, .standard))
        for (precision, bar) in [(Precision.fp32, 1e-4), (.bf16, 5e-2), (.fp16, 1e-2)] {
            let computation = Computation(device: .cuda(0), precision: precision)
            let there = try gradients(of: model(name, set, computation), scale: 0.37)
            let difference = distance(there.gradients.flatMap(\.self), own.gradients.flatMap(\.self))
            print("\(name), \(computation): gradients differ by \(difference)")
            #expect(abs(Double(there.loss - own.loss)) < bar * Double(own.loss))
            #expect(difference < bar)
            let again = try gradients(of: model(name, set, computation, checkpoints: true), scale: 0.37)
            #expect(again.gradients == there.gradients)
        }
    }
}
