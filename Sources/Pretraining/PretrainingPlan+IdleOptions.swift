extension PretrainingPlan {
    /// A line for each of these settings that changes nothing in any stage that it is for.
    public func notes(on settings: [RecipeSetting]) -> [String] {
        settings.compactMap { setting in
            let reasons = stages.filter { setting.stage == nil || setting.stage == $0.stage }.map {
                $0.idleKeys[setting.key]
            }
            guard let reason = reasons.first ?? nil, !reasons.contains(nil) else { return nil }
            return "--\(setting.key.replacing("_", with: "-")) changes nothing: \(reason)"
        }
    }
}

extension PretrainingOptions {
    /// Keys whose values nothing asks for, as the other options are, with the reason.
    fileprivate var idleKeys: [String: String] {
        var idle: [String: String] = [:]
        if stage != .lora {
            for key in ["lora_rank", "lora_alpha", "rslora", "lora_dropout", "lora_targets", "embedding_learning_rate"]
            {
                idle[key] = "it is for stage lora"
            }
        }
        if stage == .full { idle["train_sides"] = "stage full trains every weight" }
        if schedule != .wsd { idle["decay_steps"] = "it is for --schedule wsd" }
        if schedule == .constant { idle["minimum_learning_rate_ratio"] = "--schedule constant stays at the peak" }
        if samplePrompts.isEmpty { idle["sample_tokens"] = "there is no --sample-prompt" }
        if samplePrompts.isEmpty, heldOut.isEmpty, holdOut == 0 {
            idle["evaluate_every"] = "there is nothing to measure; name texts by --heldout"
        }
        if !judgesEvaluations { idle["best_by"] = "it is for --keep-best or --patience" }
        return idle
    }
}
