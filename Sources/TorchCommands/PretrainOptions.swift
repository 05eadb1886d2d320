import ArgumentParser
import Partitioning
import Pretraining
import Torch

// Every option of a recipe is optional here: one that was not given leaves the recipe's value, or the default.

private let defaults = PretrainingOptions(
    model: "", text: [], stage: .full, out: "", length: .steps(0), threads: availableProcessors)

/// A group of options that say keys of a recipe.
protocol RecipeOptions {
    /// The options that were given.
    var settings: [RecipeSetting] { get }
}

extension RecipeOptions {
    /// The setting of one option, or nil where it was not given.
    func setting(_ key: String, _ value: (some CustomStringConvertible)?) -> RecipeSetting? {
        value.map { setting(key, ["\($0)"]) }
    }

    func setting<Value: RawRepresentable<String>>(_ key: String, choice: Value?) -> RecipeSetting? {
        choice.map { setting(key, [$0.rawValue]) }
    }

    func setting(_ key: String, list: [String]) -> RecipeSetting? {
        list.isEmpty ? nil : setting(key, list)
    }

    private func setting(_ key: String, _ values: [String]) -> RecipeSetting {
        RecipeSetting(key: key, values: values, origin: .option("--" + key.replacing("_", with: "-")))
    }
}

struct PretrainRecipeOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            A YAML file of these options, KEY: VALUE with _ for -, or the name of one that comes along: \
            \(Recipe.shippedNames.joined(separator: ", ")).
            """, valueName: "file-or-name"))
    var recipe: String?

    @Option(
        name: .customLong("set"),
        help: ArgumentHelp(
            "Any option, also for one stage alone: lora.learning_rate=1e-4. Wins over all else; may be repeated.",
            valueName: "key=value"))
    var assignments: [String] = []

    @Flag(
        help: """
            Only say what would train, the memory it takes and the tokens of a step; with --epochs and a text, counted \
            with the tokenizer, also the steps. Needs no weights: --model may be a config.json.
            """)
    var dryRun = false

    func overrides() throws -> [RecipeSetting] {
        try assignments.map { text in
            guard let setting = RecipeSetting(assignment: text) else {
                throw ValidationError("--set \(text): write KEY=VALUE or STAGE.KEY=VALUE")
            }
            return setting
        }
    }
}

struct PretrainModelOptions: ParsableArguments, RecipeOptions {
    @Option(help: "A Hugging Face model directory.")
    var model: String?

    @Option(
        help: """
            A .model or tokenizer.json file, or a directory with tokenizer.model or else tokenizer.json (default: the \
            model's own).
            """)
    var tokenizer: String?

    @Option(
        name: [.customLong("stage"), .customLong("stages")],
        help: ArgumentHelp(
            """
            full: every weight. embeddings: input embedding and LM head. lora: LoRA with those two. Several, such as \
            embeddings,lora, run one after another, each on the result of the one before.
            """, valueName: "stage,..."))
    var stages: String?

    @Option(
        help: """
            Which rows of embedding and head train: new (those that kuoci resize appended; the old keep their bits), \
            all, or none beside LoRA (default: new in stage embeddings, all in stage lora).
            """)
    var trainRows: TrainedRows?

    @Option(
        help: "Whose rows train: those of the input embedding, or of both it and the LM head (default: both).")
    var trainSides: TrainedSides?

    @Option(help: "The first new row, where no kuoci.json of kuoci resize beside the model says it.")
    var firstNewRow: Int?

    var settings: [RecipeSetting] {
        [
            setting("model", model), setting("tokenizer", tokenizer),
            setting("stages", stages),
            setting("train_rows", choice: trainRows), setting("train_sides", choice: trainSides),
            setting("first_new_row", firstNewRow),
        ].compactMap { $0 }
    }
}

struct PretrainTextOptions: ParsableArguments, RecipeOptions {
    @Option(parsing: .upToNextOption, help: "Files to train on: .txt or .jsonl, also .gz and .zst.")
    var text: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "In place of --text: corpora interleaved by weight. Files of one name are one corpus; their weights add up.",
            valueName: "name=weight:file"))
    var mix: [String] = []

    @Option(
        help: """
            Share of each corpus' documents to measure on and never train on, chosen by their SHA-256 (default: 0).
            """)
    var holdOut: Double?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts to measure on and never train on, as NAME=FILE.", valueName: "name=file"))
    var heldout: [String] = []

    @Option(
        help: "What a document is in a .txt file: a line, or a paragraph between blank lines (default: lines).")
    var documents: TextDivision?

    @Option(help: "Tokens in a block (default: \(defaults.blockSize)).")
    var blockSize: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Let the documents of a block see one another, as older training scripts do (default: no).")
    var attendAcrossDocuments: Bool?

    @Option(help: "Where tokenized texts are kept and found again (default: OUT/tokens).")
    var cache: String?

    var settings: [RecipeSetting] {
        [
            setting("text", list: text), setting("mix", list: mix), setting("hold_out", holdOut),
            setting("heldout", list: heldout), setting("documents", choice: documents),
            setting("block_size", blockSize), setting("attend_across_documents", attendAcrossDocuments),
            setting("cache", cache),
        ].compactMap { $0 }
    }
}

struct PretrainStepOptions: ParsableArguments, RecipeOptions {
    @Option(help: "Optimizer steps; 0 writes the result untrained.")
    var steps: Int?

    @Option(help: "In place of --steps: how many times to go over the text, or over the first corpus of --mix.")
    var epochs: Int?

    @Option(help: "Blocks in a micro-batch (default: \(defaults.batchSize)).")
    var batchSize: Int?

    @Option(help: "Micro-batches in an optimizer step (default: \(defaults.accumulation)).")
    var accumulation: Int?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Keep only what goes into each layer and compute the rest again on the way back: less memory, more time, the \
            same result (default: no).
            """)
    var activationCheckpointing: Bool?

    @Option(
        help: """
            How AdamW keeps its two moments: fp32, or int8, a quarter of the memory: codes of 8 bits for blocks of \
            \(MomentStorage.blockSize) values; parameters of fewer than \(MomentStorage.smallestQuantized) stay in fp32 \
            (default: fp32).
            """)
    var optimizerState: MomentStorage?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Where several processes train together, let each keep the optimizer's state of its share of the parameters \
            alone: less memory, the same result (default: no).
            """)
    var shardOptimizer: Bool?

    @Flag(
        inversion: .prefixedNo,
        help: """
            Where several processes train together, add up gradients while those of earlier layers are still computed; the \
            same result (default: where a process has a processor more than --threads).
            """)
    var overlapSums: Bool?

    @Option(help: "The peak of the schedule (default: \(defaults.learningRate)).")
    var learningRate: Double?

    @Option(help: "In stage lora: the peak for embedding and LM head (default: that of --learning-rate).")
    var embeddingLearningRate: Double?

    @Option(
        help: """
            How the rate falls after warm-up: cosine, linear, constant, or wsd (warm-up, stable, decay: linearly over \
            the last --decay-steps) (default: cosine).
            """)
    var schedule: ScheduleShape?

    @Option(help: "Steps of linear warm-up; step s of W has s / (W + 1) of the peak (default: 0).")
    var warmupSteps: Int?

    @Option(help: "In place of --warmup-steps: their share of all steps, rounded up.")
    var warmupRatio: Double?

    @Option(help: "Steps in which --schedule wsd falls (default: the last tenth).")
    var decaySteps: Int?

    @Option(help: "The rate at the end, as a share of the peak (default: 0).")
    var minimumLearningRateRatio: Double?

    @Option(help: "AdamW's decay of matrices (default: 0).")
    var weightDecay: Double?

    @Option(
        name: .customLong("adam-beta1"),
        help: "How much of AdamW's mean of gradients a step keeps (default: \(defaults.adamBeta1)).")
    var adamBeta1: Double?

    @Option(
        name: .customLong("adam-beta2"),
        help: "The same of its mean of their squares; transformers has 0.999 (default: \(defaults.adamBeta2)).")
    var adamBeta2: Double?

    @Option(help: "What AdamW adds to the root of that (default: \(defaults.adamEpsilon)).")
    var adamEpsilon: Double?

    @Option(help: "The gradient's global norm is cut down to this (default: \(defaults.clip)).")
    var clip: Double?

    var settings: [RecipeSetting] {
        [
            setting("steps", steps), setting("epochs", epochs), setting("batch_size", batchSize),
            setting("accumulation", accumulation),
            setting("activation_checkpointing", activationCheckpointing),
            setting("optimizer_state", choice: optimizerState), setting("shard_optimizer", shardOptimizer),
            setting("overlap_sums", overlapSums),
            setting("learning_rate", learningRate),
            setting("embedding_learning_rate", embeddingLearningRate), setting("schedule", choice: schedule),
            setting("warmup_steps", warmupSteps), setting("warmup_ratio", warmupRatio),
            setting("decay_steps", decaySteps),
            setting("minimum_learning_rate_ratio", minimumLearningRateRatio),
            setting("weight_decay", weightDecay), setting("adam_beta1", adamBeta1), setting("adam_beta2", adamBeta2),
            setting("adam_epsilon", adamEpsilon), setting("clip", clip),
        ].compactMap { $0 }
    }
}

struct PretrainLoRAOptions: ParsableArguments, RecipeOptions {
    @Option(help: "Rank of the added matrices (default: \(defaults.loraRank)).")
    var loraRank: Int?

    @Option(help: "What is added is scaled by alpha / rank (default: \(defaults.loraAlpha)).")
    var loraAlpha: Double?

    @Flag(inversion: .prefixedNo, help: "rsLoRA: scale by alpha / sqrt(rank) instead (default: no).")
    var rslora: Bool?

    @Option(
        help: "Share of inputs dropped on the way through the added matrices (default: \(defaults.loraDropout)).")
    var loraDropout: Double?

    @Option(
        help: """
            Projections, of q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj \
            (default: \(defaults.loraTargets.joined(separator: ","))).
            """)
    var loraTargets: String?

    var settings: [RecipeSetting] {
        [
            setting("lora_rank", loraRank), setting("lora_alpha", loraAlpha), setting("rslora", rslora),
            setting("lora_dropout", loraDropout), setting("lora_targets", loraTargets),
        ].compactMap { $0 }
    }
}

struct PretrainRunOptions: ParsableArguments, RecipeOptions {
    @Option(help: "The run's directory.")
    var out: String?

    @Option(help: "Seed of the blocks' order, the new LoRA matrices and dropout (default: \(defaults.seed)).")
    var seed: UInt64?

    @Option(
        help: "Measure the held-out texts every so many steps; 0: before the first and after the last (default: 0).")
    var evaluateEvery: Int?

    @Option(help: "At each measuring, write how the model goes on from this; may be given several times.")
    var samplePrompt: [String] = []

    @Option(help: "New tokens of such a sample at most (default: \(defaults.sampleTokens)).")
    var sampleTokens: Int?

    @Flag(
        inversion: .prefixedNo,
        help: "Also write what measured best on the held-out texts, into OUT/best (default: no).")
    var keepBest: Bool?

    @Option(help: "The held-out text by whose bits per byte the best is told (default: the mean of all).")
    var bestBy: String?

    @Option(help: "Stop when so many evaluations one after another were not the best; 0: never (default: 0).")
    var patience: Int?

    @Option(
        help: """
            Save the state every so many steps and after the last, and keep the last two; 0: only when interrupted \
            (default: 0).
            """)
    var saveEvery: Int?

    @Flag(help: "Continue a run in --out from its last checkpoint.")
    var resume = false

    @Flag(help: "Replace an older run in --out.")
    var force = false

    @Option(
        help: ArgumentHelp(
            deviceHelp + " Of several processes on a machine, cuda gives each one its own (default: cpu).",
            valueName: "cpu|cuda|cuda:N"))
    var device: DeviceChoice?

    @Option(
        help: """
            What products of matrices and attention are computed in: fp32, bf16, or on CUDA fp16 with a loss scale. What \
            trains stays in float32 (default: fp32).
            """)
    var precision: Precision?

    @Option(help: "Threads to compute on (default: every processor, or what the recipe says).")
    var threads: Int?

    @Option(help: "Write each step's batch into this directory, for a replay elsewhere.")
    var recordBatches: String?

    var settings: [RecipeSetting] {
        [
            setting("seed", seed), setting("evaluate_every", evaluateEvery),
            setting("sample_prompt", list: samplePrompt), setting("sample_tokens", sampleTokens),
            setting("keep_best", keepBest),
            setting("best_by", bestBy), setting("patience", patience), setting("save_every", saveEvery),
            setting("device", device), setting("precision", choice: precision), setting("threads", threads),
            setting("record_batches", recordBatches),
        ].compactMap { $0 }
    }
}
