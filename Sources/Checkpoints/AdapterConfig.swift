public import OrderedJSON

/// What a PEFT LoRA adapter's adapter_config.json says, as far as this project uses it.
public struct AdapterConfig: Sendable, Equatable {
    public var baseModel: String?
    /// Rank of the updates.
    public var rank: Int
    public var alpha: Double
    public var dropout: Double
    /// The adapted modules.
    public var targets: AdapterTargets
    /// The ends of the names of the modules that the adapter replaces as a whole, such as `embed_tokens`.
    public var modulesToSave: [String]
    /// Divides by the root of the rank instead of the rank.
    public var usesRankStabilization: Bool

    public init(
        baseModel: String?, rank: Int, alpha: Double, dropout: Double, targetModules: [String],
        modulesToSave: [String], usesRankStabilization: Bool = false
    ) {
        self.baseModel = baseModel
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        targets = AdapterTargets(names: targetModules)
        self.modulesToSave = modulesToSave
        self.usesRankStabilization = usesRankStabilization
    }

    /// The ends of the adapted modules' names, such as `q_proj`, or the one pattern that stands for them.
    public var targetModules: [String] {
        targets.pattern.map { [$0] } ?? targets.names
    }

    /// What the product B·A is multiplied by.
    public var scaling: Double {
        usesRankStabilization ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
    }

    /// The keys that every PEFT since mid-2023 knows, so that old ones open the adapter too, and those that say more.
    public var json: JSONValue {
        var json: JSONValue = [
            "auto_mapping": .null,
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": .null,
            "layers_to_transform": targets.layers.map { .array($0.map { .integer($0) }) } ?? .null,
            "lora_alpha": alpha == alpha.rounded() && abs(alpha) < 1e15 ? .integer(Int(alpha)) : .double(alpha),
            "lora_dropout": .double(dropout),
            "modules_to_save": modulesToSave.isEmpty ? .null : .strings(modulesToSave),
            "peft_type": "LORA",
            "r": .integer(rank),
            "revision": .null,
            "target_modules": targets.pattern.map { .string($0) } ?? .strings(targets.names),
            "task_type": "CAUSAL_LM",
        ]
        if usesRankStabilization { json["use_rslora"] = true }
        if let excluded = targets.excludedPattern {
            json["exclude_modules"] = .string(excluded)
        } else if !targets.excludedNames.isEmpty {
            json["exclude_modules"] = .strings(targets.excludedNames)
        }
        return json
    }
}
