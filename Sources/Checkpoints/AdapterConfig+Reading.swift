import OrderedCollections
import OrderedJSON
import Safetensors

extension AdapterConfig {
    /// Reads an adapter_config.json, whatever its PEFT version.
    ///
    /// - Throws: `CheckpointError` for kinds of adapters whose weights mean something else than plain LoRA's, and for
    ///   values of a type that the key cannot have.
    public init(contentsOf path: String) throws {
        let keys = AdapterKeys(path: path, json: try readJSONObject(path))
        try keys.requirePlainLoRA()
        try keys.requireUnchangedBase()
        // PEFT's own defaults stand in for absent keys.
        self.init(
            baseModel: try keys.value("base_model_name_or_path", "a string") { $0.string },
            rank: try keys.value("r", "a positive whole number") { $0.int.flatMap { $0 > 0 ? $0 : nil } } ?? 8,
            alpha: try keys.number("lora_alpha") ?? 8, dropout: try keys.number("lora_dropout") ?? 0,
            targetModules: [],
            modulesToSave: try keys.value("modules_to_save", namesExpected) { names($0) ?? $0.string.map { [$0] } }
                ?? [],
            usesRankStabilization: try keys.value("use_rslora", "true or false") { $0.bool } ?? false)
        targets = try keys.targets()
    }
}

/// The keys of an adapter_config.json; one that is null is as good as absent.
private struct AdapterKeys {
    let path: String
    let json: JSONValue

    /// The value of a key that is there, as `read` takes it.
    func value<Value>(_ key: String, _ expected: String, _ read: (JSONValue) -> Value?) throws -> Value? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let found = read(value) else {
            throw CheckpointError.missingKey(path: path, key: key, expected: expected)
        }
        return found
    }

    func number(_ key: String) throws -> Double? {
        try value(key, "a number") { $0.double.flatMap { $0.isFinite ? $0 : nil } }
    }

    func targets() throws -> AdapterTargets {
        let (names, pattern) = try namesOrPattern("target_modules")
        let (excludedNames, excludedPattern) = try namesOrPattern("exclude_modules")
        let layers = try value("layers_to_transform", "a whole number or a list of at most \(mostElements)") { value in
            value.int.map { [$0] } ?? elements(value, \.int)
        }
        return AdapterTargets(
            names: names ?? (pattern == nil ? AdapterTargets.usual : []), pattern: pattern,
            layers: layers.flatMap { $0.isEmpty ? nil : $0 }, excludedNames: excludedNames ?? [],
            excludedPattern: excludedPattern)
    }

    private func namesOrPattern(_ key: String) throws -> (names: [String]?, pattern: String?) {
        if let pattern = json[key]?.string, !pattern.isEmpty { return (nil, pattern) }
        return (try value(key, namesExpected + ", or a pattern") { names($0) }, nil)
    }

    /// The factors are those of `W + scaling * B·A` and nothing beside them was trained but whole tensors.
    func requirePlainLoRA() throws {
        guard json["peft_type"]?.string == "LORA" else {
            throw unfit("peft_type is not \"LORA\", the only kind that can be read; give a LoRA adapter")
        }
        for (key, value) in json.object ?? [:] where namesVariant(key) && !isNothing(value) {
            throw unfit(
                "the key \(quoted(key)) should be null, false or empty, as only plain LoRA can be read; \(mergeFirst)")
        }
        if let bias = try value("bias", "a string", { $0.string }), bias != "none" {
            throw unfit("bias is \(quoted(bias)), and only \"none\" can be read; \(mergeFirst)")
        }
    }

    /// The factors are to be added to the base's own weights, not to what is left of them.
    ///
    /// PEFT's pissa, olora, corda and lora_ga take the first B·A from the base's weights, and loftq rounds these. Where
    /// PEFT has made plain LoRA of such an adapter, the key is true.
    func requireUnchangedBase() throws {
        let start = try value("init_lora_weights", "true, false or a string") { value in
            value.bool.map { _ in "" } ?? value.string
        }
        guard let start, !["", "gaussian", "eva", "orthogonal", "mica"].contains(start.lowercased()) else { return }
        if ["pissa", "olora", "corda", "lora_ga"].contains(where: start.lowercased().hasPrefix) {
            throw unfit(
                "init_lora_weights is \(quoted(start)), which takes a part of the base's weights into the adapter; "
                    + "convert it with PEFT's save_pretrained(..., path_initial_model_for_weight_conversion=...)")
        }
        throw unfit(
            "init_lora_weights is \(quoted(start)), which may change the base's weights; "
                + "merge the adapter with PEFT's merge_and_unload first")
    }

    private var mergeFirst: String { "give a plain adapter, or merge this one with PEFT's merge_and_unload first" }

    private func unfit(_ reason: String) -> CheckpointError {
        .unfit(path: path, reason: reason)
    }
}

/// Whether a key of PEFT's, or of one to come, says that the adapter is more than plain LoRA if it says anything.
private func namesVariant(_ key: String) -> Bool {
    // These tell how the weights began, how PEFT computes, or which modules are meant.
    let harmless = [
        "use_rslora", "layers_pattern", "loftq_config", "eva_config", "corda_config", "lora_ga_config",
        "runtime_config",
    ]
    let variants = [
        "fan_in_fan_out", "lora_bias", "alora_invocation_tokens", "layer_replication", "target_parameters",
        "trainable_token_indices",
    ]
    if harmless.contains(key) { return false }
    return variants.contains(key) || key.hasPrefix("use_") || key.hasSuffix("_config") || key.hasSuffix("_pattern")
}

private func isNothing(_ value: JSONValue) -> Bool {
    switch value {
    case .null, .bool(false): true
    case .string(let text): text.isEmpty
    case .array(let elements): elements.isEmpty
    case .object(let members): members.isEmpty
    case .bool, .number: false
    }
}

private func names(_ value: JSONValue) -> [String]? {
    elements(value, \.string)
}

/// In one list: each is compared with every module, and no model of the family has so many.
private let mostElements = 10_000
private let namesExpected = "a list of at most \(mostElements) names"

/// The elements of a list, if `read` takes every one.
private func elements<Element>(_ value: JSONValue, _ read: (JSONValue) -> Element?) -> [Element]? {
    guard let values = value.array, values.count <= mostElements else { return nil }
    let elements = values.compactMap(read)
    return elements.count == values.count ? elements : nil
}
