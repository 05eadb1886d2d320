import ArgumentParser
import Partitioning
import Pretraining

struct PretrainModelOptions: ParsableArguments {
    @Option(help: "A Hugging Face model directory.")
    var model: String

    @Option(help: "A .model file, or a directory with tokenizer.model (default: the model's own).")
    var tokenizer: String?

    @Option(help: "full: every weight. embeddings: input embedding and LM head. lora: LoRA with those two.")
    var stage: TrainingStage

    @Option(
        help: """
            Which rows of embedding and head train: new (those that kuoci resize appended; the old keep their bits), \
            all, or none beside LoRA (default: new in stage embeddings, all in stage lora).
            """)
    var trainRows: TrainedRows?

    @Option(help: "Whose rows train: those of the input embedding, or of both it and the LM head (input, both).")
    var trainSides = TrainedSides.both

    @Option(help: "The first new row, where no kuoci.json of kuoci resize beside the model says it.")
    var firstNewRow: Int?

    func apply(to options: inout PretrainingOptions) {
        options.tokenizer = tokenizer
        options.trainRows = trainRows
        options.trainSides = trainSides
        options.firstNewRow = firstNewRow
    }
}

struct PretrainTextOptions: ParsableArguments {
    @Option(parsing: .upToNextOption, help: "Files to train on: .txt or .jsonl, also .gz and .zst.")
    var text: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "In place of --text: corpora interleaved by weight. Files of one name are one corpus; their weights add up.",
            valueName: "name=weight:file"))
    var mix: [String] = []

    @Option(help: "Share of each corpus' documents to measure on and never train on, chosen by their SHA-256.")
    var holdOut = 0.0

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts to measure on and never train on, as NAME=FILE.", valueName: "name=file"))
    var heldout: [String] = []

    @Option(
        help: "What a document is in a .txt file: a line, or a paragraph between blank lines.")
    var documents = TextDivision.lines

    @Option(help: "Tokens in a block.")
    var blockSize = 512

    @Flag(help: "Let the documents of a block see one another, as older training scripts do.")
    var attendAcrossDocuments = false

    @Option(help: "Where tokenized texts are kept and found again (default: OUT/tokens).")
    var cache: String?
}

struct PretrainStepOptions: ParsableArguments {
    @Option(help: "Optimizer steps; 0 writes the result untrained.")
    var steps: Int?

    @Option(help: "In place of --steps: how many times to go over the text, or over the first corpus of --mix.")
    var epochs: Int?

    @Option(help: "Blocks in a micro-batch.")
    var batchSize = 4

    @Option(help: "Micro-batches in an optimizer step.")
    var accumulation = 1

    @Option(help: "The peak of the schedule.")
    var learningRate = 2e-4

    @Option(help: "In stage lora: the peak for embedding and LM head (default: that of --learning-rate).")
    var embeddingLearningRate: Double?

    @Option(
        help: """
            How the rate falls after warm-up: cosine, linear, constant, or wsd (warm-up, stable, decay: linearly over \
            the last --decay-steps).
            """)
    var schedule = ScheduleShape.cosine

    @Option(help: "Steps of linear warm-up; step s of W has s / (W + 1) of the peak.")
    var warmupSteps = 0

    @Option(help: "In place of --warmup-steps: their share of all steps, rounded up.")
    var warmupRatio: Double?

    @Option(help: "Steps in which --schedule wsd falls (default: the last tenth).")
    var decaySteps: Int?

    @Option(help: "The rate at the end, as a share of the peak.")
    var minimumLearningRateRatio = 0.0

    @Option(help: "AdamW's decay of matrices (its betas are 0.9 and 0.95, its epsilon 1e-8).")
    var weightDecay = 0.0

    @Option(help: "The gradient's global norm is cut down to this.")
    var clip = 1.0

    func apply(to options: inout PretrainingOptions) {
        options.batchSize = batchSize
        options.accumulation = accumulation
        options.learningRate = learningRate
        options.embeddingLearningRate = embeddingLearningRate
        options.schedule = schedule
        options.warmupSteps = warmupSteps
        options.warmupRatio = warmupRatio
        options.decaySteps = decaySteps
        options.minimumLearningRateRatio = minimumLearningRateRatio
        options.weightDecay = weightDecay
        options.clip = clip
    }
}

struct PretrainLoRAOptions: ParsableArguments {
    @Option(help: "Rank of the added matrices.")
    var loraRank = 8

    @Option(help: "What is added is scaled by alpha / rank.")
    var loraAlpha = 32.0

    @Flag(help: "rsLoRA: scale by alpha / sqrt(rank) instead.")
    var rslora = false

    @Option(help: "Share of inputs dropped on the way through the added matrices.")
    var loraDropout = 0.05

    @Option(help: "Projections, of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj.")
    var loraTargets = "q_proj,k_proj,v_proj,o_proj"

    func apply(to options: inout PretrainingOptions) {
        options.loraRank = loraRank
        options.loraAlpha = loraAlpha
        options.usesRankStabilization = rslora
        options.loraDropout = loraDropout
        options.loraTargets = loraTargets.split(separator: ",").map(String.init)
    }
}

struct PretrainRunOptions: ParsableArguments {
    @Option(help: "The run's directory.")
    var out: String

    @Option(help: "Seed of the blocks' order, the new LoRA matrices and dropout.")
    var seed: UInt64 = 42

    @Option(help: "Measure the held-out texts every so many steps; 0: before the first and after the last.")
    var evaluateEvery = 0

    @Flag(help: "Also write what measured best on the held-out texts, into OUT/best.")
    var keepBest = false

    @Option(help: "The held-out text by whose bits per byte the best is told (default: the mean of all).")
    var bestBy: String?

    @Option(help: "Stop when so many evaluations one after another were not the best; 0: never.")
    var patience = 0

    @Option(
        help: "Save the state every so many steps and after the last, and keep the last two; 0: only when interrupted.")
    var saveEvery = 0

    @Flag(help: "Continue a run in --out from its last checkpoint.")
    var resume = false

    @Flag(help: "Replace an older run in --out.")
    var force = false

    @Option(help: "Threads to compute on (default: every processor).")
    var threads = availableProcessors

    @Option(help: "Write each step's batch into this directory, for a replay elsewhere.")
    var recordBatches: String?
}
