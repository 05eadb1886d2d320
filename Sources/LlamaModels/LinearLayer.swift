import SeededRandom
internal import Torch

/// A projection: x W^T + b, with LoRA on it where asked.
struct LinearLayer {
    /// Its name in Hugging Face checkpoints, such as `model.layers.0.self_attn.q_proj`.
    let name: String
    /// [out, in]
    var weight: Tensor
    /// [out]
    var bias: Tensor?
    var adapter: LowRankAdapter?

    /// x [N, in] -> [N, out]
    /// - Parameter dropout: The seed of what the adapter drops, or nil to drop nothing.
    func callAsFunction(_ x: Tensor, dropout: UInt64?) throws -> Tensor {
        guard let adapter else { return try x.linear(weight, bias: bias) }
        var generator = SplitMix64(seed: dropout ?? 0, purpose: adapter.number)
        return try x.adaptedLinear(
            weight, bias: bias, down: adapter.down, up: adapter.up, scaling: adapter.scaling,
            dropout: dropout == nil ? 0 : adapter.dropout, seed: generator.next())
    }
}

/// The two factors of LoRA on one projection.
struct LowRankAdapter {
    /// A [r, in]
    let down: Tensor
    /// B [out, r]
    let up: Tensor
    let scaling: Double
    let dropout: Double
    /// Tells the adapters of a model apart, so that each drops something else.
    let number: UInt64

    /// As PEFT starts: A by Kaiming's uniform rule with a = sqrt(5), which makes the bound 1 / sqrt(in); B zero.
    init(_ lora: LoRAConfiguration, weight: Tensor, seed: UInt64, number: UInt64) throws {
        let (output, input) = (weight.shape[0], weight.shape[1])
        var generator = SplitMix64(seed: seed, purpose: number)
        let bound = 1 / Float(input).squareRoot()
        let values = (0..<lora.rank * input).map { _ in generator.uniform(bound: bound) }
        down = try Tensor(values, shape: [lora.rank, input]).converted(on: weight.device)
        up = try .zeros([output, lora.rank], on: weight.device)
        try down.setRequiresGradient(true)
        try up.setRequiresGradient(true)
        scaling = lora.scaling
        dropout = lora.dropout
        self.number = number
    }
}
