public import Checkpoints
import Foundation
import LlamaModels
import Safetensors
public import Torch

/// What a stage will train and take, from config.json and the options alone.
public struct RunEstimate: Sendable, Equatable {
    public var stage: TrainingStage
    public var device: DeviceChoice
    public var precision: Precision
    /// Of the model and of the LoRA matrices beside it; a matrix that trains counts once, as in the paper's table.
    public var parameters: Int
    public var trainableParameters: Int
    /// Bytes of all weights: the frozen ones in the type they are computed in, or for float32 on the CPU in the one they are
    /// stored in, mapped or not; the others in float32.
    public var weightBytes: Int
    public var gradientBytes: Int
    /// Bytes of AdamW's two moments, or of a process's share of them.
    public var optimizerBytes: Int
    /// Those among which they are shared out.
    public var optimizerShares: Int
    /// Bytes that a micro-batch keeps for its way back, with what the loss and one layer's way back work in.
    public var activationBytes: Int
    /// The most bytes of all these that exist at one time: gradients come as activations go.
    public var peakBytes: Int
    public var tokensPerStep: Int
    public var length: RunLength
    /// nil where the length is one of epochs and nobody has counted them.
    public var steps: Int?
    /// Those of all steps; nil where the steps are.
    public var tokens: Int?

    /// What the process takes besides: libtorch, tokenizer and text, measured with a model of 4 million parameters.
    static let programBytes = 240_000_000

    public var trainableShare: Double { Double(trainableParameters) / Double(parameters) }

    /// - Parameters:
    ///   - config: The model's config.json; the weights need not be there.
    ///   - processes: Those that train together; what is told is of each.
    /// - Throws: `CheckpointError` or `LlamaModelError` for a config that no model can have, `PretrainingError`.
    public init(_ options: PretrainingOptions, model config: ModelConfig, processes: Int = 1) throws {
        let layout = try LlamaLayout(config)
        let set = try options.resolvingRows(config).trainableSet(config)
        let counts = Counts(layout, set)
        stage = options.stage
        device = options.device
        precision = options.precision
        let isOwn = options.usesOwnKernels
        parameters = layout.parameterCount + counts.adapter
        trainableParameters = counts.trainable
        let storedSize = (layout.tensors.first?.type.bits ?? 32) / 8
        let frozenSize = isOwn ? storedSize : precision.element.size
        weightBytes = frozenSize * (parameters - counts.trainable) + 4 * counts.trainable
        gradientBytes = 4 * trainableParameters
        optimizerShares = options.shardsOptimizer ? processes : 1
        let moments = counts.sizes.reduce(0) { $0 + options.optimizerState.bytes(count: $1) }
        optimizerBytes = (moments + optimizerShares - 1) / optimizerShares
        var activations = Activations(try LlamaConfiguration(config), set, options).bytes
        if precision != .fp32 {
            // Of what trains each product has a copy of its own type: projections from the way there to the way back, the
            // head's rows at the end.
            activations += precision.element.size * (stage == .full ? trainableParameters : counts.head)
        }
        // Those of the head come with the loss, beside the sum of earlier micro-batches if there are any; then a layer's
        // come when what it kept goes.
        let withActivations = (options.accumulation > 1 ? gradientBytes : 0) + 4 * counts.head
        activationBytes = activations
        peakBytes = weightBytes + optimizerBytes + max(activations + withActivations, gradientBytes)
        tokensPerStep = options.batchSize * options.accumulation * options.blockSize
        length = options.length
        if case .steps(let count) = length {
            steps = count
            tokens = count * tokensPerStep
        }
    }
}

extension RunEstimate {
    /// A few lines for people.
    public var text: String {
        func gigabytes(_ bytes: Int) -> String { rounded(Double(bytes) / 1e9, 2) + " GB" }
        let total = "\(steps ?? 0) steps, \(tokens ?? 0) tokens in all"
        let steps =
            switch length {
            case .steps(0): "no steps yet, --steps or --epochs says how many"
            case .steps: total
            case .epochs(let count) where steps == nil: "as many steps as \(count) times the text makes"
            case .epochs(let count): "\(total), \(count) times the text"
            }
        return """
            stage \(stage.rawValue): \(trainableParameters) of \(parameters) parameters train \
            (\(rounded(100 * trainableShare, 2)) %)
            memory, \(precision.rawValue) on \(device)\(optimizerShares > 1 ? ", each of \(optimizerShares) processes" : ""): \
            weights \(gigabytes(weightBytes)), gradients \(gigabytes(gradientBytes)), optimizer \
            \(gigabytes(optimizerBytes)), activations \(gigabytes(activationBytes)), at most \(gigabytes(peakBytes)) at once, \
            beside the program's own \(gigabytes(Self.programBytes))
            tokens a step: \(tokensPerStep); \(steps)
            """
    }
}

extension PretrainingOptions {
    /// - Parameter places: Blocks that the run takes in all; a batch has no more.
    /// - Throws: `PretrainingError.tooLittleMemory` where training on the CPU takes more than twice what the machine has.
    func checkMemory(
        _ config: ModelConfig, places: Int, processes: Int,
        memory: Int = Int(clamping: ProcessInfo.processInfo.physicalMemory)
    ) throws {
        if device != .cpu || places == 0 { return }
        var options = self
        options.batchSize = min(batchSize, places)
        let estimate = try RunEstimate(options, model: config, processes: processes)
        // Frozen weights are mapped there: the kernel takes their memory back as it needs it.
        let mapped = usesOwnKernels ? estimate.weightBytes - 4 * estimate.trainableParameters : 0
        let bytes = estimate.peakBytes - mapped
        if bytes / 2 > memory { throw PretrainingError.tooLittleMemory(bytes: bytes, memory: memory) }
    }
}

/// How many numbers train.
private struct Counts {
    var trainable = 0
    /// In LoRA's matrices.
    var adapter = 0
    /// In the matrix that hidden states are compared with.
    var head = 0
    /// Of each parameter that trains.
    var sizes: [Int] = []

    init(_ layout: LlamaLayout, _ set: TrainableSet) {
        func size(_ shape: [Int]) -> Int { shape.reduce(1, *) }
        func trained(_ rows: EmbeddingRows?) -> [Int] {
            guard let rows else { return [] }
            let names = [TensorNames.embedding] + (rows.trainsHead ? [TensorNames.head] : [])
            return layout.tensors.filter { names.contains($0.name) }
                .map { ($0.shape[0] - rows.firstRow) * $0.shape[1] }
        }
        func trainedHead(_ rows: EmbeddingRows?) -> Int {
            let heads = layout.tensors.filter { $0.name == TensorNames.head }
            // Where there is none it is the embedding.
            guard let rows, rows.trainsHead || heads.isEmpty, let shape = (heads + layout.tensors).first?.shape else {
                return 0
            }
            return (shape[0] - rows.firstRow) * shape[1]
        }
        switch set {
        case .all:
            sizes = layout.tensors.map { size($0.shape) }
            head = trainedHead(EmbeddingRows())
        case .embeddings(let rows):
            sizes = trained(rows)
            head = trainedHead(rows)
        case .lora(let lora, let rows):
            for tensor in layout.tensors {
                let parts = tensor.name.split(separator: ".")
                guard parts.last == "weight",
                    lora.targets.contains(where: { parts.dropLast().last == $0.rawValue[...] })
                else { continue }
                sizes += tensor.shape.map { lora.rank * $0 }
            }
            adapter = sizes.reduce(0, +)
            sizes += trained(rows)
            head = trainedHead(rows)
        }
        trainable = sizes.reduce(0, +)
    }
}

/// The bytes that exist at once besides weights, gradients and optimizer, by what `DecoderLayer` and the loss keep.
private struct Activations {
    let bytes: Int

    init(_ model: LlamaConfiguration, _ set: TrainableSet, _ options: PretrainingOptions) {
        let tokens = options.batchSize * options.blockSize
        let (width, inner) = (model.width, model.innerWidth)
        let size = options.precision.element.size
        let isOwn = options.usesOwnKernels
        let layer = Self.layer(model, set, size)
        // On the way back one layer's gradients stand beside all that is kept.
        let backward = size * 3 * inner + 4 * 3 * width
        // Each layer's input alone, and on the way back one layer's whole; or all of every layer.
        let kept = (options.checkpointsActivations ? 4 * width : layer) * model.layerCount
        let again = options.checkpointsActivations ? layer : 0
        // libtorch's operations have the logarithms of probabilities, their gradients and those of the logits at once.
        let logits = (isOwn ? 4 : 12) * min(LlamaModel.lossChunk, tokens) * model.vocabularySize
        let mask = options.attendsAcrossDocuments ? 0 : size * options.batchSize * options.blockSize * options.blockSize
        // Beside the layers: the last one's result, it normed, its gradient, and the tables of positions.
        let rest = (4 * 2 + size) * width + 4 * 2 * model.headWidth
        bytes = tokens * (kept + rest) + max(tokens * (again + backward), logits) + mask
    }

    /// The bytes that a layer keeps of a token, where `size` is that of what it computes in.
    private static func layer(_ model: LlamaConfiguration, _ set: TrainableSet, _ size: Int) -> Int {
        let (width, inner) = (model.width, model.innerWidth)
        let queries = model.headCount * model.headWidth
        // Inputs of both norms and their scales; gate and up; queries, what attention makes of them, its logarithms, and
        // keys and values, which it has for every head of the queries.
        let floats = 2 * width + 2 + model.headCount
        var computed = 2 * inner + 4 * queries
        // A projection that trains, or has LoRA on it, keeps its input, which the norms and SwiGLU do not.
        func keeps(_ targets: LoRATarget...) -> Bool {
            switch set {
            case .all: true
            case .embeddings: false
            case .lora(let lora, _): targets.contains { lora.targets.contains($0) }
            }
        }
        if keeps(.query, .key, .value) { computed += width }
        if keeps(.gate, .up) { computed += width }
        if keeps(.down) { computed += inner }
        if case .lora(let lora, _) = set { computed += lora.rank * lora.targets.count }
        return 4 * floats + size * computed
    }
}
