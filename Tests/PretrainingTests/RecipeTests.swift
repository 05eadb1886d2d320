import Checkpoints
import LlamaModels
import OrderedJSON
import TestSupport
import Testing
import Torch

@testable import Pretraining

@Suite struct RecipeTests {
    private func recipe(_ yaml: String) throws -> Recipe { try Recipe(yaml: Array(yaml.utf8), path: "my.yaml") }

    private func option(_ key: String, _ values: String...) -> RecipeSetting {
        RecipeSetting(key: key, values: values, origin: .option("--" + key.replacing("_", with: "-")))
    }

    private func plan(
        _ recipe: Recipe, _ options: [RecipeSetting] = [], overrides: [String] = []
    ) throws -> [PretrainingOptions] {
        try recipe.plan(
            options: [option("model", "m"), option("text", "t")] + options,
            overrides: overrides.compactMap { RecipeSetting(assignment: $0) }, out: "out", threads: 2
        ).stages
    }

    @Test func laterAndNearerValuesWin() throws {
        let recipe = try recipe(
            """
            lora: {learning_rate: 1e-4, batch_size: 3}
            stages: [embeddings, lora]
            learning_rate: 2e-4
            batch_size: 2
            steps: 10
            embeddings.clip: 0.5
            """)
        let stages = try plan(recipe)
        #expect(stages.map(\.learningRate) == [2e-4, 1e-4])
        #expect(stages.map(\.batchSize) == [2, 3])
        #expect(stages.map(\.clip) == [0.5, 1])
        let told = try plan(recipe, [option("batch_size", "7"), option("epochs", "2")], overrides: ["lora.clip=0.25"])
        #expect(told.map(\.batchSize) == [7, 7])
        #expect(told.map(\.length) == [.epochs(2), .epochs(2)])
        #expect(told.map(\.clip) == [0.5, 0.25])
        #expect(try plan(recipe, overrides: ["lora.batch-size=9"]).map(\.batchSize) == [2, 9])
    }

    @Test func oneWayOfSayingTakesTheOthersPlace() throws {
        let recipe = try recipe("{stages: full, mix: [zh=0.8:a, zh=0.2:b], steps: 1, warmup_ratio: 0.1}")
        let mixed = try recipe.plan(options: [option("model", "m")], overrides: [], out: "out", threads: 1).stages[0]
        #expect(mixed.mix.map(\.paths) == [["a", "b"]])
        let told = try plan(recipe, [option("warmup_steps", "3")])[0]
        #expect(told.mix.isEmpty && told.text == ["t"])
        #expect(told.warmupRatio == nil && told.warmupSteps == 3)
    }

    @Test func stagesFollowOneAnother() throws {
        let stages = try plan(Recipe(), [option("stages", "full,embeddings,lora"), option("steps", "1")])
        #expect(stages.map(\.out) == ["out/1-full", "out/2-embeddings", "out/3-lora"])
        #expect(stages.map(\.model) == ["m", "out/1-full/model", "out/2-embeddings/model"])
        #expect(stages.allSatisfy { $0.cache == "out/tokens" })
        #expect(try plan(Recipe(), [option("stages", "lora"), option("steps", "1")])[0].out == "out")
        for bad in ["lora,full", "full,full", "none", "", ","] {
            #expect(throws: PretrainingError.self) {
                try plan(Recipe(), [option("stages", bad), option("steps", "1")])
            }
        }
    }

    @Test func anUnknownKeyIsNamedWithItsLineAndTheNearest() throws {
        func expect(_ yaml: String, line: Int, _ key: String, _ nearest: String) throws {
            let recipe = try recipe(yaml)
            #expect(throws: RecipeError.unknownKey(path: "my.yaml", line: line, key: key, nearest: nearest)) {
                try plan(recipe)
            }
        }
        try expect("stages: lora\nlerning_rate: 1\n", line: 2, "lerning_rate", "learning_rate")
        try expect("stages: lora\nlora:\n  rank: 1\n  lora_ranks: 1\n", line: 3, "rank", "lora_rank")
        try expect("stage: lora\n", line: 1, "stage", "stages")
        #expect(throws: RecipeError.unknownKey(path: "my.yaml", line: 1, key: "lara.clip", nearest: "lora.clip")) {
            try recipe("lara.clip: 1")
        }
        let error = #expect(throws: PretrainingError.self) {
            try plan(Recipe(), [option("stages", "lora")], overrides: ["clop=1"])
        }
        #expect("\(error as Any)".contains("clip"))
    }

    @Test func aBadValueIsNamedWithItsLine() throws {
        for (yaml, line, key) in [
            ("stages: lora\nsteps: many", 2, "steps"), ("stages: [lora, lora]", 1, "stages"),
            ("stages: lora\nsteps: 1\nbatch_size: 0", 3, "batch_size"),
            ("stages: lora\nsteps: 1\nlora:\n  schedule: sine", 4, "schedule"),
            ("stages: lora\nsteps: 1\nmix: [zh=b]", 3, "mix"), ("stages: lora\nsteps: 1\nrslora: 7", 3, "rslora"),
            ("stages: lora\nsteps: 1\nlora_targets: [k_proj, x]", 3, "lora_targets"),
        ] {
            let error = #expect(throws: RecipeError.self) { try plan(recipe(yaml)) }
            guard case .badValue("my.yaml", line, key, _, _)? = error else {
                Issue.record("\(yaml): \(error as Any)")
                continue
            }
        }
    }

    @Test func aValueOfTheCommandLineIsNamedWithItsKey() throws {
        for (assignment, name, value) in [
            ("steps=x", "--set", "steps=x"), ("lora.clip=y", "--set", "lora.clip=y"),
            ("full.stages=lora", "--set", "full.stages=lora"),
        ] {
            let error = #expect(throws: PretrainingError.self) {
                try plan(Recipe(), [option("stages", "lora"), option("steps", "1")], overrides: [assignment])
            }
            guard case .badOption(name, value, let need)? = error else {
                Issue.record("\(error as Any)")
                continue
            }
            #expect(!need.contains("did you mean"))
        }
        let error = #expect(throws: PretrainingError.self) {
            try plan(Recipe(), [option("stages", "lora"), option("steps", "1"), option("best_by", "en")])
        }
        guard case .badOption("--best-by", "en", "needs texts to measure on; name some by --heldout")? = error else {
            Issue.record("\(error as Any)")
            return
        }
        #expect(throws: PretrainingError.self) {
            try plan(Recipe(), [option("stages", "lora"), option("steps", "1"), option("heldout", "zh=")])
        }
    }

    @Test func yamlsOtherSpellingsAreUnderstood() throws {
        let options = try plan(
            recipe("{stages: lora, steps: 1, rslora: True, tokenizer: null, cache: ~, lora: , clip: }"))[0]
        #expect(options.usesRankStabilization)
        #expect(options.tokenizer == nil && options.cache == nil)
        #expect(options.clip == 1)
        // Between quotation marks it is a name, and stays one.
        let named = try recipe("{stages: lora, steps: 1, model: m, text: t, tokenizer: 'null'}").plan(
            options: [], overrides: [], out: "out", threads: 1)
        #expect(named.stages[0].tokenizer == "null")
        let again = try Recipe(yaml: Array(named.recipe.yaml.utf8), path: "again").plan(
            options: [], overrides: [], out: "out", threads: 1)
        #expect(again.stages[0].tokenizer == "null")
        #expect(
            throws: RecipeError.badValue(
                path: "my.yaml", line: 1, key: "lora", value: "5",
                need: "is a stage; write the KEY: VALUE lines for it under its name")
        ) { try recipe("lora: 5") }
        #expect(throws: RecipeError.unknownKey(path: "my.yaml", line: 1, key: "clop", nearest: "clip")) {
            try plan(recipe("{clop: null, stages: lora, steps: 1}"))
        }
    }

    @Test func whatAdamWKeepsIsTheRecipes() throws {
        let options = try plan(
            recipe("{stages: lora, steps: 1, adam_beta1: 0.8, adam_beta2: 0.9, adam_epsilon: 1e-6}"))[0]
        #expect(
            options.optimizerOptions == AdamW.Options(beta1: 0.8, beta2: 0.9, epsilon: 1e-6, weightDecay: 0))
        #expect(options.deciding["betas"] == [0.8, 0.9])
        #expect(options.deciding["epsilon"]?.double == 1e-6)
        let paper = try plan(Recipe(named: "paper-7b"), [option("steps", "1")])
        #expect(paper.allSatisfy { $0.adamBeta1 == 0.9 && $0.adamBeta2 == 0.999 })
    }

    @Test func whatIsNoRecipeIsRefused() {
        for yaml in [
            "a: [", "- 1", "x", "steps: 1\nsteps: 2", "steps: [1, 2]", "seed: {a: 1}", "text: [[a]]", "? [a]\n: b",
            "\u{0}", "a: *b", String(repeating: "[", count: 50_000), "a: " + String(repeating: "{b: ", count: 50_000),
            String(repeating: "#", count: 2 << 20), "a: 1\n---\nb: 2",
        ] {
            #expect(throws: RecipeError.self, "\(yaml.prefix(20))") { try recipe(yaml) }
        }
        #expect(throws: RecipeError.self) { try Recipe(yaml: [0x61, 0xFF, 0x3A], path: "my.yaml") }
        for rivals in ["steps: 1\nepochs: 1", "text: a\nmix: [zh=1:a]", "lora: {clip: 1}\nlora.clip: 2"] {
            #expect(throws: RecipeError.self) { try plan(recipe("stages: lora\n" + rivals)) }
        }
        #expect(throws: RecipeError.self) { try Recipe(named: "no-such-recipe") }
    }

    @Test func whatIsMissingIsAskedFor() throws {
        for yaml in ["", "steps: 1", "stages: lora"] {
            #expect(throws: PretrainingError.self) { try plan(recipe(yaml)) }
        }
        #expect(throws: PretrainingError.self) {
            try Recipe().plan(
                options: [option("stages", "lora"), option("steps", "1")], overrides: [], out: "o", threads: 1)
        }
    }

    @Test func theResolvedRecipeSaysTheSameAgain() throws {
        let recipe = try recipe(
            """
            stages: [embeddings, lora]
            model: '123'
            text: [一.txt, "b: c", "- d"]
            heldout: {zh: [a, b], en: c}
            lora: {epochs: 3, schedule: wsd, decay_steps: 4, embedding_learning_rate: 1e-5, train_rows: none}
            embeddings: {steps: 5, warmup_ratio: 0.25, first_new_row: 9}
            seed: 18446744073709551615
            """)
        let first = try recipe.plan(options: [], overrides: [], out: "out", threads: 3)
        let again = try Recipe(yaml: Array(first.recipe.yaml.utf8), path: "again").plan(
            options: [], overrides: [], out: "elsewhere", threads: 1)
        #expect(try first.recipe.yaml == again.recipe.yaml)
        for (a, b) in zip(first.stages, again.stages) {
            #expect(a.deciding == b.deciding)
            #expect(a.text == b.text && a.heldOut == b.heldOut && a.threads == b.threads)
        }
        #expect(first.stages[1].heldOut.map(\.paths) == [["a", "b"], ["c"]])
    }

    @Test(arguments: Recipe.shippedNames)
    func aShippedRecipePlans(name: String) throws {
        let stages = try plan(Recipe(named: name), [option("steps", "1")])
        #expect(stages.map(\.stage) == (stages.count == 2 ? [.embeddings, .lora] : [.lora]))
    }
}

@Suite struct RunEstimateTests {
    /// A config.json of Meta's first LLaMA with the 49,953 entries of the merged vocabulary.
    private func llama(width: Int, layers: Int, heads: Int, inner: Int) -> ModelConfig {
        ModelConfig(
            path: "config.json",
            json: [
                "model_type": "llama", "vocab_size": 49953, "hidden_size": .integer(width),
                "intermediate_size": .integer(inner), "num_hidden_layers": .integer(layers),
                "num_attention_heads": .integer(heads), "tie_word_embeddings": false, "torch_dtype": "float16",
            ])
    }

    /// The shares of a shipped recipe's stages, in hundredths of a per cent.
    private func shares(_ recipe: String, _ config: ModelConfig, rank: Int? = nil) throws -> [Int] {
        let model = RecipeSetting(key: "model", values: ["m"], origin: .option("--model"))
        let rank = rank.map { RecipeSetting(key: "lora_rank", values: ["\($0)"], origin: .option("--lora-rank")) }
        return try Recipe(named: recipe).plan(
            options: [model] + [rank].compactMap { $0 }, overrides: [], out: "", threads: 1, isDry: true
        ).stages.map { Int((try RunEstimate($0, model: config).trainableShare * 10000).rounded()) }
    }

    @Test func theRecipesHaveTheSharesOfThePaper() throws {
        let seven = llama(width: 4096, layers: 32, heads: 32, inner: 11008)
        let thirteen = llama(width: 5120, layers: 40, heads: 40, inner: 13824)
        let thirtyThree = llama(width: 6656, layers: 60, heads: 52, inner: 17920)
        #expect(try shares("paper-7b", seven) == [297, 606])
        #expect(try shares("paper-plus-7b", seven) == [622])
        #expect(try shares("paper-13b", thirteen) == [410])
        #expect(try shares("paper-33b", thirtyThree) == [221])
        #expect(try shares("paper-plus-7b", seven, rank: 64) == [808])
        #expect(try shares("paper-13b", thirteen, rank: 64) == [566])
    }

    @Test(arguments: TrainingStage.allCases)
    func layersComputedAgainKeepOnlyTheirInputs(stage: TrainingStage) throws {
        let config = llama(width: 4096, layers: 32, heads: 32, inner: 11008)
        var options = PretrainingOptions(model: "", text: [], stage: stage, out: "", length: .steps(1), threads: 1)
        options.trainRows = .all
        options.batchSize = 1
        options.blockSize = 64
        let kept = try RunEstimate(options, model: config)
        options.checkpointsActivations = true
        let again = try RunEstimate(options, model: config)
        // Of 32 layers, at least 30 keep neither gate and up nor what attention needs.
        let least = 4 * 64 * 30 * (2 * 11008 + 4 * 4096)
        #expect(kept.activationBytes - again.activationBytes >= least)
        // With so few tokens all gradients together are the most.
        #expect(kept.peakBytes >= again.peakBytes)
    }

    @Test func gradientsOfEarlierMicroBatchesStandBesideThoseOfTheHead() throws {
        let config = llama(width: 1024, layers: 4, heads: 8, inner: 2048)
        var options = PretrainingOptions(
            model: "", text: [], stage: .full, out: "", length: .steps(1), threads: 1)
        let one = try RunEstimate(options, model: config)
        options.accumulation = 2
        let two = try RunEstimate(options, model: config)
        #expect(one.activationBytes == two.activationBytes)
        #expect(two.peakBytes - one.peakBytes == one.gradientBytes)
    }

    @Test func processesShareOutTheOptimizersStateWhereAsked() throws {
        let config = llama(width: 1024, layers: 4, heads: 8, inner: 2048)
        var options = PretrainingOptions(
            model: "", text: [], stage: .full, out: "", length: .steps(1), threads: 1)
        let whole = try RunEstimate(options, model: config, processes: 3)
        #expect(whole.optimizerBytes == 8 * whole.trainableParameters)
        options.shardsOptimizer = true
        let third = try RunEstimate(options, model: config, processes: 3)
        #expect((0..<24).contains(3 * third.optimizerBytes - whole.optimizerBytes))
        #expect(whole.peakBytes - third.peakBytes == whole.optimizerBytes - third.optimizerBytes)
        #expect(third.text.contains("each of 3 processes"))
        #expect(try RunEstimate(options, model: config).optimizerBytes == whole.optimizerBytes)
    }

    @Test func aStepOfTooManyTokensIsRefused() {
        var options = PretrainingOptions(
            model: "", text: [], stage: .full, out: "", length: .steps(1 << 22), threads: 1)
        options.batchSize = 1 << 20
        options.accumulation = 1 << 20
        options.blockSize = 1 << 20
        #expect(throws: PretrainingError.self) { try options.validate(needsText: false) }
    }

    @Test(arguments: TrainingStage.allCases)
    func theCountIsThatOfTheRun(stage: TrainingStage) throws {
        try withTinyModel { model in
            var options = PretrainingOptions(
                model: model, text: [], stage: stage, out: "", length: .steps(1), threads: 1)
            options.firstNewRow = 100
            let config = try ModelConfig(contentsOf: model + "/config.json")
            let estimate = try RunEstimate(options, model: config)
            let trained = try LlamaModel(directory: model)
            try trained.prepareTraining(options.trainableSet(config), seed: 0)
            #expect(estimate.trainableParameters == trained.trainableParameters.reduce(0) { $0 + $1.tensor.count })
        }
    }
}

private func withTinyModel(_ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { directory in
        try makeTinyModel(in: directory + "/model")
        try body(directory + "/model")
    }
}
