/// What a run is to do, as settings in the order in which they were said: a later one wins over an earlier one, and one
/// for a stage over one for all stages of the same source.
public struct Recipe: Sendable, Equatable {
    public var settings: [RecipeSetting]

    public init(settings: [RecipeSetting] = []) {
        self.settings = settings
    }
}

extension Recipe {
    /// The stages with all their options, after checking them.
    ///
    /// - Parameters:
    ///   - options: What the command line said in single options, which holds for every stage.
    ///   - overrides: What it said with `--set`, which wins over all else.
    ///   - out: The directory of the run; with several stages each gets a numbered one in it.
    ///   - isDry: Whether the plan is only looked at, which needs no text and no length.
    /// - Throws: `RecipeError` for what a file said, `PretrainingError.badOption` for what an option said.
    public func plan(
        options: [RecipeSetting], overrides: [RecipeSetting], out: String, threads: Int, isDry: Bool = false
    ) throws -> PretrainingPlan {
        try checkRepeats()
        // What a file says for one stage wins over what it says for all; a single option wins over both.
        let ordered =
            settings.filter { $0.stage == nil } + settings.filter { $0.stage != nil } + options
            + overrides.filter { $0.stage == nil } + overrides.filter { $0.stage != nil }
        for setting in ordered { try setting.checkKey() }
        let names = try Self.stages(ordered)
        var stages: [PretrainingOptions] = []
        for stage in names {
            let own = ordered.filter { $0.stage == nil || $0.stage == stage }
            var resolved = PretrainingOptions(
                model: "", text: [], stage: stage, out: out, length: .steps(0), threads: threads)
            for setting in own { try setting.assign(to: &resolved) }
            try Self.checkComplete(own, stage, isDry: isDry)
            do throws(PretrainingError) {
                try resolved.validate(needsText: !isDry)
            } catch {
                throw Self.naming(error, among: own)
            }
            stages.append(resolved)
        }
        return PretrainingPlan(stages: stages, out: out)
    }

    /// A file that says a key twice to one stage is in doubt.
    private func checkRepeats() throws(RecipeError) {
        for (place, setting) in settings.enumerated() {
            let rivals = RecipeKey.rivals.first { $0.contains(setting.key) } ?? [setting.key]
            guard case .file(let path, let line) = setting.origin,
                let other = settings[..<place].first(where: { $0.stage == setting.stage && rivals.contains($0.key) })
            else { continue }
            throw .repeatedKey(path: path, line: line, key: setting.key, other: other.key)
        }
    }

    private static func stages(_ settings: [RecipeSetting]) throws -> [TrainingStage] {
        guard let setting = settings.last(where: { $0.key == RecipeKey.stagesName }) else {
            throw PretrainingError.badOption(
                name: "--stages", value: "", need: "say what to train: \(TrainingStage.allNames), or several in order")
        }
        let names = setting.values.flatMap(\.recipeNames)
        let stages = names.compactMap { TrainingStage(rawValue: $0) }
        guard stages.count == names.count, !stages.isEmpty, Set(stages).count == stages.count else {
            throw setting.bad("must be one or more of \(TrainingStage.allNames), once each")
        }
        if stages.dropLast().contains(.lora) {
            throw setting.bad("must have lora last: the next stage would need a model, and lora leaves an adapter")
        }
        return stages
    }

    private static func checkComplete(_ settings: [RecipeSetting], _ stage: TrainingStage, isDry: Bool) throws {
        var needed = [(["model"], "name the checkpoint's directory")]
        if !isDry {
            needed += [
                (["text", "mix"], "name what to train on"), (["steps", "epochs"], "say how long stage \(stage) is"),
            ]
        }
        for (keys, need) in needed where !settings.contains(where: { keys.contains($0.key) }) {
            let option = keys.map { "--\($0)" }.joined(separator: " or ")
            throw PretrainingError.badOption(name: option, value: "is missing", need: need)
        }
    }

    /// An error about an option that a recipe set names the recipe's line.
    private static func naming(_ error: PretrainingError, among settings: [RecipeSetting]) -> any Error {
        guard case .badOption(let name, let value, let need) = error else { return error }
        let key = String(name.drop { $0 == "-" }).replacing("-", with: "_")
        guard let setting = settings.last(where: { $0.key == key }), case .file(let path, let line) = setting.origin
        else { return error }
        return RecipeError.badValue(path: path, line: line, key: key, value: value, need: need)
    }
}

extension TrainingStage {
    static var allNames: String { allCases.map(\.rawValue).joined(separator: ", ") }
}

extension RecipeSetting {
    fileprivate func checkKey() throws {
        if RecipeKey.named(key) != nil { return }
        if key == RecipeKey.stagesName {
            if stage == nil { return }
            throw bad("is for the whole run, not for a stage; say it outside of any")
        }
        let nearest = RecipeKey.nearest(to: key)
        switch origin {
        case .file(let path, let line):
            throw RecipeError.unknownKey(path: path, line: line, key: key, nearest: nearest)
        case .option(let name):
            throw PretrainingError.badOption(
                name: name, value: key, need: "there is no such key; did you mean \(nearest)?")
        }
    }

    fileprivate func assign(to options: inout PretrainingOptions) throws {
        guard let known = RecipeKey.named(key) else { return }
        if let need = known.assign(&options, values) { throw bad(need) }
    }

    fileprivate func bad(_ need: String) -> any Error {
        let value = values.joined(separator: ", ")
        switch origin {
        case .file(let path, let line):
            return RecipeError.badValue(path: path, line: line, key: key, value: value, need: need)
        case .option(Self.assignmentOption):
            let name = (stage.map { $0.rawValue + "." } ?? "") + key
            return PretrainingError.badOption(name: Self.assignmentOption, value: "\(name)=\(value)", need: need)
        case .option(let name):
            return PretrainingError.badOption(name: name, value: value, need: need)
        }
    }
}
