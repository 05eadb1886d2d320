import OrderedCollections
public import OrderedJSON

/// What a PEFT LoRA adapter's adapter_config.json says, as far as this project uses it.
public struct AdapterConfig: Sendable, Equatable {
    public var baseModel: String?
    /// Rank of the updates.
    public var rank: Int
    public var alpha: Double
    public var dropout: Double
    /// The last names of the adapted modules, such as `q_proj`.
    public var targetModules: [String]
    /// The last names of the modules that the adapter replaces as a whole, such as `embed_tokens`.
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
        self.targetModules = targetModules
        self.modulesToSave = modulesToSave
        self.usesRankStabilization = usesRankStabilization
    }

    /// What the product B·A is multiplied by.
    public var scaling: Double {
        usesRankStabilization ? alpha / Double(rank).squareRoot() : alpha / Double(rank)
    }

    /// Reads an adapter_config.json, whatever its PEFT version.
    ///
    /// - Throws: `CheckpointError.unfit` for kinds of adapters whose weights mean something else than plain LoRA's.
    public init(contentsOf path: String) throws {
        let json = try readJSONObject(path)
        func unfit(_ reason: String) -> CheckpointError { .unfit(path: path, reason: reason) }
        guard json["peft_type"]?.string == "LORA" else {
            throw unfit("peft_type is not \"LORA\"; only LoRA adapters can be read")
        }
        for key in ["use_dora", "fan_in_fan_out", "lora_bias", "use_qalora"] where json[key]?.bool == true {
            throw unfit("\(key) is true; only plain LoRA adapters can be read")
        }
        for key in ["rank_pattern", "alpha_pattern"] where !(json[key]?.object ?? [:]).isEmpty {
            throw unfit("\(key) is not empty; only adapters with one rank and one alpha can be read")
        }
        if let bias = json["bias"]?.string, bias != "none" {
            throw unfit("bias is \"\(bias)\"; only \"none\" can be read")
        }
        // PEFT's own defaults stand in for absent keys.
        guard let rank = (json["r"] ?? 8).int, rank > 0 else { throw unfit("r is not a positive whole number") }
        guard let alpha = (json["lora_alpha"] ?? 8).double, alpha.isFinite else {
            throw unfit("lora_alpha is not a number")
        }
        self.init(
            baseModel: json["base_model_name_or_path"]?.string, rank: rank, alpha: alpha,
            dropout: json["lora_dropout"]?.double ?? 0, targetModules: names(json["target_modules"]),
            modulesToSave: names(json["modules_to_save"]), usesRankStabilization: json["use_rslora"]?.bool ?? false)
    }

    /// The keys that every PEFT since mid-2023 knows, so that old ones open the adapter too.
    public var json: JSONValue {
        var json: JSONValue = [
            "auto_mapping": .null,
            "base_model_name_or_path": baseModel.map { .string($0) } ?? .null,
            "bias": "none",
            "fan_in_fan_out": false,
            "inference_mode": true,
            "init_lora_weights": true,
            "layers_pattern": .null,
            "layers_to_transform": .null,
            "lora_alpha": alpha == alpha.rounded() && abs(alpha) < 1e15 ? .integer(Int(alpha)) : .double(alpha),
            "lora_dropout": .double(dropout),
            "modules_to_save": modulesToSave.isEmpty ? .null : .strings(modulesToSave),
            "peft_type": "LORA",
            "r": .integer(rank),
            "revision": .null,
            "target_modules": .strings(targetModules),
            "task_type": "CAUSAL_LM",
        ]
        if usesRankStabilization { json["use_rslora"] = true }
        return json
    }
}

/// A list of names, a single one, or nothing.
private func names(_ value: JSONValue?) -> [String] {
    value?.string.map { [$0] } ?? (value?.array ?? []).compactMap(\.string)
}
