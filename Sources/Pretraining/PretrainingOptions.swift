import Collectives
import OrderedJSON
public import Torch

/// What a run trains.
public enum TrainingStage: String, Sendable, CaseIterable {
    /// Every weight.
    case full
    /// Stage 1: the input embedding and the LM head; the transformer is frozen.
    case embeddings
    /// Stage 2: LoRA on chosen projections, with the input embedding and the LM head.
    case lora
}

/// Files whose documents are held out, under the name that reports use.
public struct NamedText: Sendable, Equatable {
    public var name: String
    public var paths: [String]

    public init(name: String, paths: [String]) {
        self.name = name
        self.paths = paths
    }
}

/// How long a run is.
public enum RunLength: Sendable, Equatable {
    case steps(Int)
    /// Every block of the text, or of the first corpus of a mix, this many times; the last step takes what is left.
    case epochs(Int)
}

/// Everything that decides what a run computes.
public struct PretrainingOptions: Sendable {
    /// A Hugging Face model directory.
    public var model: String
    /// A .model file or a directory that holds tokenizer.model; nil takes the model's own.
    public var tokenizer: String?
    /// One corpus; empty where `mix` names several.
    public var text: [String]
    /// Corpora that are interleaved by their weights, in place of `text`.
    public var mix: [WeightedText] = []
    public var heldOut: [NamedText] = []
    /// The share of each corpus' documents that is measured on and never trained on, chosen by their content; 0: none.
    public var holdOut = 0.0
    /// How .txt files are divided, those held out too.
    public var documents = TextDivision.lines
    public var stage: TrainingStage
    /// The run's directory.
    public var out: String
    public var length: RunLength
    /// Blocks in a micro-batch.
    public var batchSize = 4
    /// Micro-batches in an optimizer step.
    public var accumulation = 1
    /// Whether layers are computed again on the way back instead of being kept: less memory, the same result.
    public var checkpointsActivations = false
    /// Whether each of several processes keeps the optimizer's state of its share of the parameters alone: less memory, the
    /// same result.
    public var shardsOptimizer = false
    /// How the optimizer keeps its moments.
    public var optimizerState = MomentStorage.fp32
    /// Whether gradients of several processes are added up while those of earlier layers are still computed; nil: where a
    /// process has a processor more than `threads`.
    public var overlapsSums: Bool?
    /// Tokens in a block.
    public var blockSize = 512
    /// One causal mask over a block, whatever documents it holds; held-out texts are measured apart all the same.
    public var attendsAcrossDocuments = false
    /// Rows of the input embedding and the LM head to train; nil: as `stageRows` says.
    public var trainRows: TrainedRows?
    public var trainSides = TrainedSides.both
    /// The first row that is new; nil: what `kuoci resize` wrote beside the model.
    public var firstNewRow: Int?
    public var learningRate = 2e-4
    /// The peak for input embedding and LM head in stage lora; nil: `learningRate`.
    public var embeddingLearningRate: Double?
    public var schedule = ScheduleShape.cosine
    public var warmupSteps = 0
    /// In place of `warmupSteps`: warm-up's share of the run's steps, rounded up to whole steps.
    public var warmupRatio: Double?
    /// Steps at the end in which schedule wsd falls; nil: a tenth of all.
    public var decaySteps: Int?
    public var minimumLearningRateRatio = 0.0
    public var weightDecay = 0.0
    /// How much of AdamW's mean of gradients each step keeps.
    public var adamBeta1 = 0.9
    /// The same of its mean of their squares.
    public var adamBeta2 = 0.95
    /// What AdamW adds to the root of that.
    public var adamEpsilon = 1e-8
    /// The gradient's global norm is cut down to this.
    public var clip = 1.0
    public var loraRank = 8
    public var loraAlpha = 32.0
    public var loraDropout = 0.05
    public var loraTargets = ["q_proj", "k_proj", "v_proj", "o_proj"]
    /// rsLoRA: what is added is scaled by alpha / sqrt(rank).
    public var usesRankStabilization = false
    public var seed: UInt64 = 42
    /// 0: only before the first step and after the last.
    public var evaluateEvery = 0
    /// Whether what the best evaluation measured is written too, beside what the run ends with.
    public var keepsBest = false
    /// The held-out set whose bits per byte tell evaluations apart; nil takes the mean of all.
    public var bestBy: String?
    /// Evaluations without a better one after which the run ends; 0: it goes on.
    public var patience = 0
    /// At each evaluation the model goes on from these, and the log gets the texts.
    public var samplePrompts: [String] = []
    /// New tokens of a sample at most.
    public var sampleTokens = 64
    /// 0: only when stopped by a signal.
    public var saveEvery = 0
    /// Where token caches are kept; nil keeps them in the run's directory.
    public var cache: String?
    public var recordBatches: String?
    public var device = DeviceChoice.cpu
    public var precision = Precision.fp32
    /// For tests of what else needs a GPU: fp16 on the CPU is slow, but right.
    var takesAnyPrecision = false
    public var threads: Int

    public init(
        model: String, text: [String], stage: TrainingStage, out: String, length: RunLength, threads: Int
    ) {
        self.model = model
        self.text = text
        self.stage = stage
        self.out = out
        self.length = length
        self.threads = threads
    }
}

extension PretrainingOptions {
    /// The options that decide the result, in the order of `--help`; a resumed run must have the same.
    ///
    /// Left out are threads, saving, recording, the cache's place and which of several GPUs it is: a resumed run may change them.
    var deciding: JSONValue {
        var value: JSONValue = [
            "stage": .string(stage.rawValue), "mix": .strings(mix.map { "\($0.name)=\($0.weight)" }),
            "hold_out": .double(holdOut), "documents": .string(documents.rawValue),
            "attend_across_documents": .bool(attendsAcrossDocuments),
            "batch_size": .integer(batchSize), "accumulation": .integer(accumulation),
            "block_size": .integer(blockSize), "learning_rate": .double(learningRate),
            "schedule": .string(schedule.rawValue), "warmup_steps": .integer(warmupSteps),
            "minimum_learning_rate_ratio": .double(minimumLearningRateRatio),
            "weight_decay": .double(weightDecay), "clip": .double(clip),
            "betas": [.double(adamBeta1), .double(adamBeta2)], "epsilon": .double(adamEpsilon),
            "seed": .string(String(seed)), "evaluate_every": .integer(evaluateEvery),
            "device": .string(device.kind), "precision": .string(precision.rawValue),
        ]
        if judgesEvaluations {
            value["keep_best"] = .bool(keepsBest)
            value["best_by"] = bestBy.map { .string($0) } ?? .null
            value["patience"] = .integer(patience)
        }
        switch length {
        case .steps(let count): value["steps"] = .integer(count)
        case .epochs(let count): value["epochs"] = .integer(count)
        }
        if let warmupRatio { value["warmup_ratio"] = .double(warmupRatio) }
        if schedule == .wsd, let decaySteps { value["decay_steps"] = .integer(decaySteps) }
        if stage != .full {
            value["train_rows"] = .string(stageRows.rawValue)
            value["train_sides"] = .string(trainSides.rawValue)
            if stageRows == .new { value["first_new_row"] = firstNewRow.map { .integer($0) } }
        }
        if !samplePrompts.isEmpty {
            value["sample_prompts"] = .strings(samplePrompts)
            value["sample_tokens"] = .integer(sampleTokens)
        }
        if optimizerState != .fp32 { value["optimizer_state"] = .string(optimizerState.rawValue) }
        if stage == .lora {
            value["embedding_learning_rate"] = .double(embeddingLearningRate ?? learningRate)
            value["lora_rank"] = .integer(loraRank)
            value["lora_alpha"] = .double(loraAlpha)
            value["lora_dropout"] = .double(loraDropout)
            value["lora_targets"] = .strings(loraTargets)
            value["rslora"] = .bool(usesRankStabilization)
        }
        return value
    }

    /// What the run trains on, by name and weight.
    var corpora: [WeightedText] {
        mix.isEmpty ? [WeightedText(name: "text", weight: .one, paths: text)] : mix
    }

    /// Whether evaluations are compared with one another.
    var judgesEvaluations: Bool { keepsBest || patience > 0 }

    func learningRateSchedule(steps: Int) -> LearningRateSchedule {
        LearningRateSchedule(
            peak: learningRate, steps: steps,
            warmupSteps: warmupRatio.map { Int(($0 * Double(steps)).rounded(.up)) } ?? warmupSteps,
            minimumRatio: minimumLearningRateRatio, shape: schedule, decaySteps: decaySteps)
    }

    /// The parameters with their shares of the learning rate: in stage lora embedding and head have their own.
    ///
    /// - Parameter parts: What of each this process moves.
    func optimizerParameters(
        _ parameters: [(name: String, tensor: Tensor)], parts: [Range<Int>]
    ) -> [AdamW.Parameter] {
        let embeddingShare = embeddingLearningRate.map { $0 / learningRate } ?? 1
        return zip(parameters, parts).map { parameter, part in
            let isAdapter = parameter.name.contains(".lora_")
            return AdamW.Parameter(
                name: parameter.name, tensor: parameter.tensor,
                rateShare: stage == .lora && !isAdapter ? embeddingShare : 1, part: part)
        }
    }

    /// Where and in what this process computes.
    ///
    /// - Throws: `PretrainingError.badOption` where there is no such device.
    func computation(_ ranks: Collectives) throws(PretrainingError) -> Computation {
        if takesAnyPrecision { return Computation(device: .cpu, precision: precision) }
        do throws(ComputationError) {
            return try Computation(device, precision, place: ranks.place)
        } catch {
            throw PretrainingError(error)
        }
    }

    /// Whether it computes as `Computation.standard`.
    var usesOwnKernels: Bool { device == .cpu && precision == .fp32 }

    var optimizerOptions: AdamW.Options {
        AdamW.Options(
            beta1: adamBeta1, beta2: adamBeta2, epsilon: adamEpsilon, weightDecay: weightDecay, storage: optimizerState)
    }
}
