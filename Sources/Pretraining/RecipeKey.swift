/// A key of recipes: how its texts get into the options and back out of them.
struct RecipeKey: Sendable {
    let name: String
    /// Whether it takes any number of values.
    var isList = false
    /// Whether a run's record holds it: what decides the result does, where things are put does not.
    var isRecorded = true
    /// The values that the options have now; nil where they have none.
    let texts: @Sendable (PretrainingOptions) -> [String]?
    /// Takes the values over; returns what they must be if they are not.
    let assign: @Sendable (inout PretrainingOptions, [String]) -> String?
}

extension RecipeKey {
    typealias Place<Value> = any WritableKeyPath<PretrainingOptions, Value> & Sendable

    static func one<Value: RecipeValue>(_ name: String, _ place: Place<Value>) -> RecipeKey {
        RecipeKey(name: name, texts: { [$0[keyPath: place].recipeText] }) { options, texts in
            guard texts.count == 1, let value = Value(recipeText: texts[0]) else { return Value.need }
            options[keyPath: place] = value
            return nil
        }
    }

    static func optional<Value: RecipeValue>(_ name: String, _ place: Place<Value?>) -> RecipeKey {
        RecipeKey(name: name, texts: { $0[keyPath: place].map { [$0.recipeText] } }) { options, texts in
            guard texts.count == 1, let value = Value(recipeText: texts[0]) else { return Value.need }
            options[keyPath: place] = value
            return nil
        }
    }

    /// Names, as a list or with commas between them.
    static let loraTargets = RecipeKey(
        name: "lora_targets", isList: true, texts: { $0.loraTargets },
        assign: { options, texts in
            options.loraTargets = texts.flatMap(\.recipeNames)
            return nil
        })

    func unrecorded() -> RecipeKey {
        var key = self
        key.isRecorded = false
        return key
    }

    /// Steps or epochs: each takes the other's place.
    static func length(
        _ name: String, _ make: @escaping @Sendable (Int) -> RunLength,
        _ count: @escaping @Sendable (RunLength) -> Int?
    ) -> RecipeKey {
        RecipeKey(name: name, texts: { count($0.length).map { ["\($0)"] } }) { options, texts in
            guard texts.count == 1, let value = Int(texts[0]) else { return Int.need }
            options.length = make(value)
            return nil
        }
    }

    /// Files of one corpus; they take the place of a mix.
    static let text = RecipeKey(
        name: "text", isList: true, texts: { $0.text.isEmpty ? nil : $0.text },
        assign: { options, texts in
            options.text = texts
            options.mix = []
            return nil
        })

    /// NAME=WEIGHT:FILE values, joined by name; they take the place of a text.
    static let mix = RecipeKey(
        name: "mix", isList: true, texts: { $0.mix.isEmpty ? nil : $0.mix.flatMap(\.recipeTexts) },
        assign: { options, texts in
            let parts = texts.compactMap { WeightedText(recipeText: $0) }
            guard parts.count == texts.count, let joined = try? WeightedText.joined(parts) else {
                return WeightedText.need
            }
            options.mix = joined
            options.text = []
            return nil
        })

    /// Steps of warm-up, or their share: each takes the other's place.
    static let warmupSteps = RecipeKey(
        name: "warmup_steps", texts: { $0.warmupRatio == nil ? ["\($0.warmupSteps)"] : nil },
        assign: { options, texts in
            guard texts.count == 1, let steps = Int(texts[0]) else { return Int.need }
            options.warmupSteps = steps
            options.warmupRatio = nil
            return nil
        })

    static let warmupRatio = RecipeKey(
        name: "warmup_ratio", texts: { $0.warmupRatio.map { ["\($0)"] } },
        assign: { options, texts in
            guard texts.count == 1, let ratio = Double(texts[0]) else { return Double.need }
            options.warmupRatio = ratio
            options.warmupSteps = 0
            return nil
        })

    /// Keys of which one takes the place of the other.
    static let rivals = [["steps", "epochs"], ["text", "mix"], [warmupSteps.name, warmupRatio.name]]

    /// NAME=FILE values, grouped by name.
    static let heldOut = RecipeKey(
        name: "heldout", isList: true,
        texts: { options in options.heldOut.flatMap { text in text.paths.map { "\(text.name)=\($0)" } } },
        assign: { options, texts in
            guard let named = NamedText.grouped(texts) else { return NamedText.need }
            options.heldOut = named
            return nil
        })

    static let samplePrompt = RecipeKey(
        name: "sample_prompt", isList: true, texts: { $0.samplePrompts.isEmpty ? nil : $0.samplePrompts },
        assign: { options, texts in
            options.samplePrompts = texts
            return nil
        })

    /// In the order of `--help`.
    static let all: [RecipeKey] = [
        one("model", \.model), optional("tokenizer", \.tokenizer), optional("train_rows", \.trainRows),
        one("train_sides", \.trainSides), optional("first_new_row", \.firstNewRow),
        text, mix, one("hold_out", \.holdOut), heldOut, one("documents", \.documents),
        one("block_size", \.blockSize), one("attend_across_documents", \.attendsAcrossDocuments),
        optional("cache", \.cache).unrecorded(),
        length("steps", { .steps($0) }, { if case .steps(let count) = $0 { count } else { nil } }),
        length("epochs", { .epochs($0) }, { if case .epochs(let count) = $0 { count } else { nil } }),
        one("batch_size", \.batchSize), one("accumulation", \.accumulation),
        one("activation_checkpointing", \.checkpointsActivations), one("optimizer_state", \.optimizerState),
        one("shard_optimizer", \.shardsOptimizer),
        optional("overlap_sums", \.overlapsSums),
        one("learning_rate", \.learningRate), optional("embedding_learning_rate", \.embeddingLearningRate),
        one("schedule", \.schedule), warmupSteps, warmupRatio,
        optional("decay_steps", \.decaySteps), one("minimum_learning_rate_ratio", \.minimumLearningRateRatio),
        one("weight_decay", \.weightDecay), one("adam_beta1", \.adamBeta1), one("adam_beta2", \.adamBeta2),
        one("adam_epsilon", \.adamEpsilon), one("clip", \.clip),
        one("lora_rank", \.loraRank), one("lora_alpha", \.loraAlpha), one("rslora", \.usesRankStabilization),
        one("lora_dropout", \.loraDropout), loraTargets,
        one("seed", \.seed), one("evaluate_every", \.evaluateEvery), samplePrompt,
        one("sample_tokens", \.sampleTokens), one("keep_best", \.keepsBest),
        optional("best_by", \.bestBy),
        one("patience", \.patience), one("save_every", \.saveEvery),
        one("device", \.device), one("precision", \.precision), one("threads", \.threads),
        optional("record_batches", \.recordBatches).unrecorded(),
    ]

    /// Besides those of the options: which stages there are.
    static let stagesName = "stages"

    static func named(_ name: String) -> RecipeKey? { all.first { $0.name == name } }

    /// The known key that is spelled most like this one, or a part of which it is; for `lara.clip`, `lora.clip`.
    static func nearest(to name: String) -> String {
        if let dot = name.firstIndex(of: ".") {
            let stages = TrainingStage.allCases.map(\.rawValue)
            return most(like: String(name[..<dot]), among: stages) + "."
                + nearest(to: String(name[name.index(after: dot)...]))
        }
        return most(like: name, among: [stagesName] + all.map(\.name))
    }

    private static func most(like name: String, among known: [String]) -> String {
        func distance(_ candidate: String) -> Int {
            candidate.contains(name) && name.count > 2 ? 1 : editDistance(candidate, name)
        }
        return known.min { distance($0) < distance($1) } ?? stagesName
    }
}

extension String {
    /// What stands between commas.
    var recipeNames: [String] { split(separator: ",").map { String($0.drop { $0 == " " }) } }
}

extension WeightedText {
    static let need =
        "must be NAME=WEIGHT:FILE, such as zh=0.8:zh.txt, each weight above 0 with at most six digits behind the point, "
        + "together at most 1000"

    /// nil unless the text is NAME=WEIGHT:FILE.
    init?(recipeText text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let rest = parts.last?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
        guard parts.count == 2, rest.count == 2, !parts[0].isEmpty, !rest[1].isEmpty, let weight = MixWeight(rest[0])
        else { return nil }
        self.init(name: String(parts[0]), weight: weight, paths: [String(rest[1])])
    }

    /// One text for each file; their weights add up to the corpus'.
    var recipeTexts: [String] {
        zip(paths, weight.parts(paths.count)).map { "\(name)=\($1):\($0)" }
    }
}

extension NamedText {
    static let need = "must be NAME=FILE, such as zh=zh.heldout.txt"

    /// Groups NAME=FILE texts by name, in the order in which the names first come; nil if one is none.
    public static func grouped(_ texts: [String]) -> [NamedText]? {
        var result: [NamedText] = []
        for text in texts {
            guard let equals = text.firstIndex(of: "="), equals > text.startIndex else { return nil }
            let name = String(text[..<equals])
            let path = String(text[text.index(after: equals)...])
            if path.isEmpty { return nil }
            if let index = result.firstIndex(where: { $0.name == name }) {
                result[index].paths.append(path)
            } else {
                result.append(NamedText(name: name, paths: [path]))
            }
        }
        return result
    }
}

/// Letters to insert, remove or replace on the way from one text to the other.
func editDistance(_ first: String, _ second: String) -> Int {
    let (first, second) = (Array(first.utf8), Array(second.utf8))
    var row = Array(0...second.count)
    for (i, a) in first.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, b) in second.enumerated() {
            let replaced = diagonal + (a == b ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, diagonal + 1)
        }
    }
    return row[second.count]
}
