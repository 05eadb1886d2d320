public import Checkpoints
import LlamaModels
import Safetensors

/// What a stage will train and take, from config.json and the options alone.
public struct RunEstimate: Sendable, Equatable {
    public var stage: TrainingStage
    /// Of the model and of the LoRA matrices beside it; a matrix that trains counts once, as in the paper's table.
    public var parameters: Int
    public var trainableParameters: Int
    /// Bytes of all weights: the frozen ones in the type they are stored in, mapped or not, the others in float32.
    public var weightBytes: Int
    public var gradientBytes: Int
    /// Bytes of AdamW's two moments.
    public var optimizerBytes: Int
    /// Bytes that a micro-batch keeps for its way back, with what the loss and one layer's way back work in.
    public var activationBytes: Int
    public var tokensPerStep: Int
    public var length: RunLength

    /// What the process takes besides: libtorch, tokenizer and text, measured with a model of 4 million parameters.
    static let programBytes = 240_000_000

    public var trainableShare: Double { Double(trainableParameters) / Double(parameters) }
    public var totalBytes: Int { weightBytes + gradientBytes + optimizerBytes + activationBytes }

    /// - Parameter model: The model's config.json; the weights need not be there.
    /// - Throws: `CheckpointError` or `LlamaModelError` for a config that no model can have, `PretrainingError`.
    public init(_ options: PretrainingOptions, model config: ModelConfig) throws {
        let layout = try LlamaLayout(config)
        let set = try options.resolvingRows(config).trainableSet(config)
        let counts = Counts(layout, set)
        stage = options.stage
        parameters = layout.parameterCount + counts.adapter
        trainableParameters = counts.trainable
        let storedSize = (layout.tensors.first?.type.bits ?? 32) / 8
        weightBytes = storedSize * (parameters - counts.trainable) + 4 * counts.trainable
        gradientBytes = 4 * trainableParameters
        optimizerBytes = 8 * trainableParameters
        activationBytes = 4 * Activations(try LlamaConfiguration(config), set, options).floats
        tokensPerStep = options.batchSize * options.accumulation * options.blockSize
        length = options.length
    }
}

extension RunEstimate {
    /// A few lines for people.
    public var text: String {
        func gigabytes(_ bytes: Int) -> String { rounded(Double(bytes) / 1e9, 2) + " GB" }
        let steps =
            switch length {
            case .steps(0): "no steps yet, --steps or --epochs says how many"
            case .steps(let count): "\(count) steps, \(count * tokensPerStep) tokens in all"
            case .epochs(let count): "as many steps as \(count) times the text makes"
            }
        return """
            stage \(stage.rawValue): \(trainableParameters) of \(parameters) parameters train \
            (\(rounded(100 * trainableShare, 2)) %)
            memory: weights \(gigabytes(weightBytes)), gradients \(gigabytes(gradientBytes)), optimizer \
            \(gigabytes(optimizerBytes)), activations \(gigabytes(activationBytes)), in all \(gigabytes(totalBytes)) beside \
            the program's own \(gigabytes(Self.programBytes))
            tokens a step: \(tokensPerStep); \(steps)
            """
    }
}

/// How many numbers train.
private struct Counts {
    var trainable: Int
    /// In LoRA's matrices.
    var adapter = 0

    init(_ layout: LlamaLayout, _ set: TrainableSet) {
        func size(_ shape: [Int]) -> Int { shape.reduce(1, *) }
        func trained(_ rows: EmbeddingRows?) -> Int {
            guard let rows else { return 0 }
            let names = [TensorNames.embedding] + (rows.trainsHead ? [TensorNames.head] : [])
            return layout.tensors.filter { names.contains($0.name) }
                .reduce(0) { $0 + ($1.shape[0] - rows.firstRow) * $1.shape[1] }
        }
        switch set {
        case .all: trainable = layout.parameterCount
        case .embeddings(let rows): trainable = trained(rows)
        case .lora(let lora, let rows):
            for tensor in layout.tensors {
                let parts = tensor.name.split(separator: ".")
                guard parts.last == "weight",
                    lora.targets.contains(where: { parts.dropLast().last == $0.rawValue[...] })
                else { continue }
                adapter += lora.rank * (tensor.shape[0] + tensor.shape[1])
            }
            trainable = adapter + trained(rows)
        }
    }
}

/// The floats that exist at once besides weights, gradients and optimizer, by what `DecoderLayer` and the loss keep.
private struct Activations {
    let floats: Int

    init(_ model: LlamaConfiguration, _ set: TrainableSet, _ options: PretrainingOptions) {
        let tokens = options.batchSize * options.blockSize
        let (width, inner) = (model.width, model.innerWidth)
        let queries = model.headCount * model.headWidth
        let keys = model.keyValueHeadCount * model.headWidth
        // Inputs of both norms; queries, keys, values and what attention makes of them; gate and up.
        var layer = 2 * width + 2 * queries + 2 * keys + 2 * inner
        // A projection that trains, or has LoRA on it, keeps its input, which the norms and SwiGLU do not.
        func keeps(_ targets: LoRATarget...) -> Bool {
            switch set {
            case .all: true
            case .embeddings: false
            case .lora(let lora, _): targets.contains { lora.targets.contains($0) }
            }
        }
        if keeps(.query, .key, .value) { layer += width }
        if keeps(.gate, .up) { layer += width }
        if keeps(.down) { layer += inner }
        if case .lora(let lora, _) = set { layer += lora.rank * lora.targets.count }
        // On the way back one layer's gradients stand beside all that is kept.
        let backward = 3 * inner + 3 * width
        let logits = min(LlamaModel.lossChunk, tokens) * model.vocabularySize
        let mask = options.attendsAcrossDocuments ? 0 : options.batchSize * options.blockSize * options.blockSize
        floats = tokens * (layer * model.layerCount + 3 * width) + max(tokens * backward, logits) + mask
    }
}
