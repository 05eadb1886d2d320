import LlamaModels
import Safetensors
import Testing
import Torch

/// Against transformers and PEFT, which ran each document as a sequence of its own.
@Suite struct ConformanceTests {
    @Test(arguments: Goldens.variants)
    func logitsAndLossEqualThoseOfTransformers(variant: String) throws {
        let goldens = try Goldens(variant)
        let model = try LlamaModel(directory: goldens.directory)
        let logits = try model.logits(goldens.batches[0])
        #expect(logits.shape == [2, 12, 40])
        let difference = try largestDifference(logits, goldens.tensors.floats(of: "logits"))
        let loss = Double(try model.lossSum(goldens.batches[0], training: false).scalar())
        let lossDifference = (loss - goldens.number("loss")).magnitude / loss
        print("\(variant): largest difference of logits \(difference), of the loss, relative, \(lossDifference)")
        #expect(difference < 1e-5)
        #expect(lossDifference < 1e-6)
    }

    @Test(arguments: Goldens.variants)
    func gradientsEqualThoseOfTransformers(variant: String) throws {
        let goldens = try Goldens(variant)
        let model = try LlamaModel(directory: goldens.directory)
        try model.prepareTraining(.all, seed: 0)
        try model.backward(model.lossSum(goldens.batches[0], training: true), scale: 1)
        let expected = goldens.tensors.tensors.filter { $0.name.hasPrefix("gradient.") }
        #expect(expected.count == model.trainableParameters.count)
        var largest: Float = 0
        for (name, tensor) in model.trainableParameters {
            let gradient = try #require(try tensor.gradient())
            let values = try goldens.tensors.floats(of: "gradient." + name)
            let size = values.map(\.magnitude).max() ?? 1
            largest = max(largest, try largestDifference(gradient, values) / size)
        }
        print("\(variant): largest difference of gradients, relative to the tensor's largest, \(largest)")
        #expect(largest < 1e-5)
    }

    @Test(arguments: Goldens.variants)
    func tenStepsOnEverythingEqualThoseOfTransformers(variant: String) throws {
        let goldens = try Goldens(variant)
        let model = try LlamaModel(directory: goldens.directory)
        try model.prepareTraining(.all, seed: 0)
        try expectSameTraining(model, goldens, run: "full")
    }

    @Test(arguments: Goldens.variants)
    func tenStepsOfStageOneEqualThoseOfTransformers(variant: String) throws {
        let goldens = try Goldens(variant)
        let model = try LlamaModel(directory: goldens.directory)
        try model.prepareTraining(.embeddings(), seed: 0)
        #expect(model.trainableParameters.count == (variant == "tied" ? 1 : 2))
        try expectSameTraining(model, goldens, run: "stage1")
    }

    @Test(arguments: Goldens.variants)
    func tenStepsOfStageTwoEqualThoseOfPEFT(variant: String) throws {
        let goldens = try Goldens(variant)
        let model = try LlamaModel(directory: goldens.directory)
        try model.prepareTraining(
            .lora(LoRAConfiguration(rank: 4, alpha: 12, dropout: 0, targets: LoRATarget.allCases)), seed: 0)
        for (name, tensor) in model.trainableParameters where name.contains("lora_A") {
            try tensor.assign(Tensor(goldens.tensors.floats(of: "stage2.start." + name), shape: tensor.shape))
        }
        try expectSameTraining(model, goldens, run: "stage2")
    }

    /// Trains as the goldens' script does and compares losses, gradient norms and, where there are some, final weights.
    private func expectSameTraining(_ model: LlamaModel, _ goldens: Goldens, run: String) throws {
        let parameters = model.trainableParameters
        let optimizer = try AdamW(
            parameters: parameters, options: AdamW.Options(weightDecay: goldens.number("decay")))
        let (losses, norms) = (goldens.numbers(run, "losses"), goldens.numbers(run, "norms"))
        var largest = 0.0
        for (step, batch) in goldens.batches.enumerated() {
            let sum = try model.lossSum(batch, training: true)
            try model.backward(sum, scale: 1 / Float(batch.targetCount))
            let norm = try clipGradientNorm(parameters.map(\.tensor), limit: goldens.number("clip"))
            try optimizer.step(learningRate: goldens.number("rate"))
            try optimizer.clearGradients()
            let loss = Double(try sum.scalar()) / Double(batch.targetCount)
            largest = max(largest, (loss - losses[step]).magnitude / loss, (norm - norms[step]).magnitude / norm)
        }
        let finals = goldens.tensors.tensors.filter { $0.name.hasPrefix(run + ".") && !$0.name.contains(".start.") }
        if !finals.isEmpty { #expect(Set(finals.map(\.name)) == Set(parameters.map { run + "." + $0.name })) }
        var largestWeight: Float = 0
        for final in finals {
            guard let (_, tensor) = parameters.first(where: { run + "." + $0.name == final.name }) else { continue }
            largestWeight = max(largestWeight, try largestDifference(tensor, goldens.tensors.floats(of: final.name)))
        }
        print("\(run): largest difference of losses and norms, relative, \(largest), of weights \(largestWeight)")
        #expect(losses.count == goldens.batches.count)
        #expect(largest < 1e-5)
        #expect(largestWeight < 2e-4)
    }
}
