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
    public static let betas = (first: 0.9, second: 0.95)
    public static let epsilon = 1e-8

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
            "betas": [.double(Self.betas.first), .double(Self.betas.second)], "epsilon": .double(Self.epsilon),
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
            beta1: Self.betas.first, beta2: Self.betas.second, epsilon: Self.epsilon, weightDecay: weightDecay,
            storage: optimizerState)
    }

    /// - Parameter needsText: false for a look ahead, which reads no text.
    /// - Throws: `PretrainingError.badOption`.
    public func validate(needsText: Bool = true) throws(PretrainingError) {
        func require(_ condition: Bool, _ name: String, _ value: some CustomStringConvertible, _ need: String)
            throws(PretrainingError)
        {
            if !condition { throw .badOption(name: name, value: "\(value)", need: need) }
        }
        switch length {
        case .steps(let count): try require((0...1 << 22).contains(count), "--steps", count, "must be 0 to 4194304")
        case .epochs(let count): try require((1...1 << 20).contains(count), "--epochs", count, "must be 1 to 1048576")
        }
        try require((1...1 << 20).contains(batchSize), "--batch-size", batchSize, "must be 1 to 1048576")
        try require((1...1 << 20).contains(accumulation), "--accumulation", accumulation, "must be 1 to 1048576")
        try require((1...1 << 20).contains(blockSize), "--block-size", blockSize, "must be 1 to 1048576")
        try require(
            batchSize * accumulation <= (1 << 32) / blockSize, "--batch-size", batchSize,
            "makes more than 4294967296 tokens a step of --accumulation \(accumulation) and --block-size \(blockSize)")
        try require(learningRate.isFinite && learningRate >= 0, "--learning-rate", learningRate, "must be 0 or more")
        try require(warmupSteps >= 0, "--warmup-steps", warmupSteps, "must not be negative")
        try require(
            (0...1).contains(minimumLearningRateRatio), "--minimum-learning-rate-ratio", minimumLearningRateRatio,
            "must be 0 to 1")
        try require(weightDecay.isFinite && weightDecay >= 0, "--weight-decay", weightDecay, "must be 0 or more")
        if let warmupRatio {
            try require((0...1).contains(warmupRatio), "--warmup-ratio", warmupRatio, "must be 0 to 1")
            try require(warmupSteps == 0, "--warmup-ratio", warmupRatio, "takes the place of --warmup-steps")
        }
        if let decaySteps { try require(decaySteps >= 0, "--decay-steps", decaySteps, "must not be negative") }
        if let embeddingLearningRate {
            try require(
                embeddingLearningRate.isFinite && embeddingLearningRate >= 0, "--embedding-learning-rate",
                embeddingLearningRate, "must be 0 or more")
            try require(
                learningRate > 0, "--embedding-learning-rate", embeddingLearningRate,
                "needs a --learning-rate above 0, whose schedule it follows")
        }
        try require(clip.isFinite && clip > 0, "--clip", clip, "must be above 0")
        try require(evaluateEvery >= 0, "--evaluate-every", evaluateEvery, "must not be negative")
        try require(patience >= 0, "--patience", patience, "must not be negative")
        try require((1...2048).contains(sampleTokens), "--sample-tokens", sampleTokens, "must be 1 to 2048")
        try require(saveEvery >= 0, "--save-every", saveEvery, "must not be negative")
        try require(threads >= 1, "--threads", threads, "must be at least 1")
        if !takesAnyPrecision {
            do throws(ComputationError) {
                try Computation.check(device, precision)
            } catch {
                throw PretrainingError(error)
            }
        }
        try require((1...1 << 16).contains(loraRank), "--lora-rank", loraRank, "must be 1 to 65536")
        try require(loraAlpha.isFinite, "--lora-alpha", loraAlpha, "must be a number")
        try require(loraDropout >= 0 && loraDropout < 1, "--lora-dropout", loraDropout, "must be 0 to below 1")
        try require(!loraTargets.isEmpty, "--lora-targets", "", "names no projection")
        _ = try loraConfiguration()
        try validateRows()
        if needsText || !text.isEmpty || !mix.isEmpty { try validateTexts() }
    }

    private func validateTexts() throws(PretrainingError) {
        if text.isEmpty == mix.isEmpty {
            throw .badOption(
                name: "--text", value: "", need: "name what to train on by --text or by --mix, one of them")
        }
        if mix.reduce(0, { $0 + $1.weight.millionths }) > MixWeight.limit {
            throw .badOption(name: "--mix", value: "", need: "its weights must sum to at most 1000")
        }
        try requireUnique(mix.map(\.name), "--mix", "names two corpora; give each its own name")
        if !(holdOut >= 0 && holdOut < 1) {
            throw .badOption(name: "--hold-out", value: "\(holdOut)", need: "must be 0 to below 1")
        }
        if attendsAcrossDocuments, blockSize < 2 {
            throw .badOption(
                name: "--block-size", value: "\(blockSize)", need: "must be at least 2 with --attend-across-documents")
        }
        let names = (holdOut > 0 ? corpora.map(\.name) : []) + heldOut.map(\.name)
        try requireUnique(names, "--heldout", "names two held-out sets; give each its own name")
        if judgesEvaluations, names.isEmpty {
            let name = keepsBest ? "--keep-best" : "--patience"
            throw .badOption(name: name, value: "", need: "needs texts to measure on; name some by --heldout")
        }
        if let bestBy, !names.contains(bestBy) {
            throw .badOption(
                name: "--best-by", value: bestBy, need: "is none of the held-out sets \(names.joined(separator: ", "))")
        }
    }

    private func requireUnique(_ names: [String], _ option: String, _ need: String) throws(PretrainingError) {
        for name in names where names.count(where: { $0 == name }) > 1 {
            throw .badOption(name: option, value: name, need: need)
        }
    }

    private func validateRows() throws(PretrainingError) {
        if stage == .full, let trainRows, trainRows != .all {
            throw .badOption(name: "--train-rows", value: trainRows.rawValue, need: "stage full trains every weight")
        }
        if stage == .embeddings, trainRows == TrainedRows.none {
            throw .badOption(name: "--train-rows", value: "none", need: "would leave stage embeddings nothing to train")
        }
        if let firstNewRow, firstNewRow < 1 {
            throw .badOption(
                name: "--first-new-row", value: "\(firstNewRow)", need: "must be above 0; --train-rows all trains all")
        }
    }
}
