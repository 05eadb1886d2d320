internal import Checkpoints
public import Torch

/// A LLaMA-family model, computed from weights of any floating type.
///
/// Between the layers stands float32, in whatever precision they compute.
///
/// Not safe to use from two threads at once.
public final class LlamaModel {
    public internal(set) var configuration: LlamaConfiguration
    public let computation: Computation
    let reader: WeightReader
    var embedding: VocabularyMatrix
    var layers: [DecoderLayer]
    var finalNorm: Tensor
    /// nil where the head is the embedding.
    var untiedHead: VocabularyMatrix?
    /// What `prepareTraining` chose.
    public internal(set) var trainableParameters: [(name: String, tensor: Tensor)] = []

    /// Whether `accumulateGradients` keeps only what goes into each layer and computes the rest again on the way back: the
    /// same gradients, bit for bit, from less memory and one more forward pass.
    public var checkpointsActivations = false

    /// Tokens whose logits exist at one time while a loss is computed: 256 rows of 49,953 logits are 51 MB. Whole steps
    /// with 128, 256 and 512 took 3.9, 3.6 and 3.8 s of processor time, alike within noise.
    package static let lossChunk = 256

    /// Opens a directory in Hugging Face layout. For float32 on the CPU weights stay mapped, in the type they are stored in,
    /// until they are trained; for any other computation they are converted.
    ///
    /// - Throws: `FileError`, `CheckpointError`, `SafetensorsError` or `LlamaModelError`, each naming what is at fault.
    public init(directory: String, computation: Computation = .standard) throws {
        let checkpoint = try Checkpoint(directory: directory)
        let configuration = try LlamaConfiguration(checkpoint.config)
        let reader = WeightReader(checkpoint: checkpoint, computation: computation)
        let matrix = [configuration.vocabularySize, configuration.width]
        func vocabularyMatrix(_ name: String) throws -> VocabularyMatrix {
            try VocabularyMatrix(reader.readStored(name, matrix), computation)
        }
        self.configuration = configuration
        self.computation = computation
        self.reader = reader
        embedding = try vocabularyMatrix("model.embed_tokens.weight")
        layers = try (0..<configuration.layerCount).map { try DecoderLayer(index: $0, configuration, reader) }
        finalNorm = try reader.readVector("model.norm.weight", configuration.width)
        untiedHead = configuration.tiesWordEmbeddings ? nil : try vocabularyMatrix("lm_head.weight")
    }

    /// Gives the memory of mapped weights back to the system, which reads them again when they are used again.
    public func releaseMappedWeights() {
        reader.releaseAll()
    }

    /// The matrix that hidden states are compared with.
    var head: VocabularyMatrix { untiedHead ?? embedding }

    /// Every weight as it is now, under its name in a Hugging Face checkpoint, LoRA's factors aside.
    ///
    /// The tensors share the model's memory, but for a matrix of which some rows are trained. Embedding and head have the
    /// values that are stored or trained, frozen projections those that are computed with.
    public func weights() throws(TorchError) -> [(name: String, tensor: Tensor)] {
        var weights = [("model.embed_tokens.weight", try embedding.weight)]
        for (index, layer) in layers.enumerated() {
            weights.append(("model.layers.\(index).input_layernorm.weight", layer.attentionNorm))
            for (_, path) in DecoderLayer.projections {
                let projection = layer[keyPath: path]
                weights.append((projection.name + ".weight", projection.weight))
                if let bias = projection.bias { weights.append((projection.name + ".bias", bias)) }
            }
            weights.append(("model.layers.\(index).post_attention_layernorm.weight", layer.innerNorm))
        }
        weights.append(("model.norm.weight", finalNorm))
        if let untiedHead { weights.append(("lm_head.weight", try untiedHead.weight)) }
        return weights
    }

    /// The final hidden states [N, D].
    func hiddenStates(_ batch: TokenBatch, dropout: UInt64?) throws -> Tensor {
        let context = try layerContext(batch, dropout: dropout)
        var x = try embeddedTokens(batch)
        for layer in layers { x = try layer(x, context) }
        return try normed(x)
    }

    /// What the head is multiplied with, of what the last layer gives.
    func normed(_ x: Tensor) throws(TorchError) -> Tensor {
        try x.rmsNorm(finalNorm, epsilon: configuration.normEpsilon, as: computation.precision.element)
    }

    /// Ids on the device that computes with them.
    func ids(_ values: [Int32], shape: [Int]) throws(TorchError) -> Tensor {
        try Tensor(ids: values.map { Int64($0) }, shape: shape).converted(on: computation.device)
    }

    /// What all layers share; throws for a batch that does not fit the model.
    func layerContext(_ batch: TokenBatch, dropout: UInt64?) throws -> DecoderLayer.Context {
        try batch.check(configuration)
        let positions = try ids(batch.positions, shape: [batch.tokens.count])
        let documents = try ids(batch.documents, shape: [batch.batchSize, batch.blockSize])
        let element = computation.precision.element
        return DecoderLayer.Context(
            batchSize: batch.batchSize, blockSize: batch.blockSize, headWidth: configuration.headWidth,
            normEpsilon: configuration.normEpsilon, element: element,
            rotary: try RotaryTable(
                positions: positions, width: configuration.headWidth, base: configuration.rotaryBase),
            documents: documents, mask: batch.hasSeveralDocuments ? try documents.documentMask(element) : nil,
            dropout: dropout)
    }

    /// What goes into the first layer, [N, D].
    func embeddedTokens(_ batch: TokenBatch) throws -> Tensor {
        try embedding.rows(ids(batch.tokens, shape: [batch.tokens.count]))
    }

    /// The logits [B, T, V], in float32.
    public func logits(_ batch: TokenBatch) throws -> Tensor {
        try withoutGradients {
            try head.logits(hiddenStates(batch, dropout: nil)).converted(to: .float32)
                .reshaped([batch.batchSize, batch.blockSize, configuration.vocabularySize])
        }
    }

    /// The sum of the cross-entropies at all targets but -1, a scalar.
    ///
    /// Unless inside `withoutGradients`, Kuoci's own kernels form the gradients of the head along with it.
    /// - Parameters:
    ///   - training: Whether LoRA drops what its dropout says.
    ///   - seed: Decides, alone, what is dropped: give each micro-batch its own.
    public func lossSum(_ batch: TokenBatch, training: Bool, seed: UInt64 = 0) throws -> Tensor {
        try lossSum(of: hiddenStates(batch, dropout: training ? seed : nil), batch)
    }

    /// The sum of the cross-entropies that the final hidden states [N, D] have, a scalar.
    func lossSum(of hidden: Tensor, _ batch: TokenBatch) throws -> Tensor {
        let targets = try ids(batch.targets, shape: [batch.targets.count])
        return try head.crossEntropySum(hidden: hidden, targets: targets, chunk: Self.lossChunk)
    }

    /// Adds `scale` times the gradient of a loss to those of the trainable parameters.
    public func backward(_ lossSum: Tensor, scale: Float) throws(TorchError) {
        try lossSum.backward(scale: scale)
    }
}
