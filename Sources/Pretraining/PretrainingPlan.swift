import FileIO
import Foundation

/// One or more stages, each on the result of the one before.
public struct PretrainingPlan: Sendable {
    /// The options of each, in order. Of the stages after the first, `model` is where the one before will leave it.
    public let stages: [PretrainingOptions]
    /// The directory of the whole.
    public let out: String
    /// What was asked for, with every value in force: the same recipe gives the same result again.
    public let recipe: Recipe

    /// - Parameter stages: With the first stage's model, and `out` as their directory.
    init(stages: [PretrainingOptions], out: String) {
        recipe = Recipe(of: stages)
        self.out = out
        guard stages.count > 1 else {
            self.stages = stages
            return
        }
        var placed: [PretrainingOptions] = []
        for (index, stage) in stages.enumerated() {
            var stage = stage
            let name = Self.directoryName(index + 1, stage.stage)
            if let before = placed.last { stage.model = before.out + "/model" }
            stage.out = out + "/" + name
            // All stages read the same ids.
            stage.cache = stage.cache ?? out + "/tokens"
            stage.recordBatches = stage.recordBatches.map { $0 + "/" + name }
            placed.append(stage)
        }
        self.stages = placed
    }
}

extension PretrainingPlan {
    /// `1-embeddings`.
    private static func directoryName(_ number: Int, _ stage: TrainingStage) -> String { "\(number)-\(stage.rawValue)" }

    /// Whether the name is one that stages get.
    static func isStage(_ name: String) -> Bool {
        (1...TrainingStage.allCases.count).contains { number in
            TrainingStage.allCases.contains { name == directoryName(number, $0) }
        }
    }
}

extension Recipe {
    /// Every value in force, with its defaults; what differs between stages is said for each.
    init(of stages: [PretrainingOptions]) {
        let origin = RecipeSetting.Origin.option("--recipe")
        var settings = [
            RecipeSetting(key: RecipeKey.stagesName, values: stages.map(\.stage.rawValue), origin: origin)
        ]
        for key in RecipeKey.all where key.isRecorded {
            let texts = stages.map { key.texts($0) }
            if texts.allSatisfy({ $0 == texts[0] }) {
                if let values = texts[0] {
                    settings.append(RecipeSetting(key: key.name, values: values, origin: origin))
                }
                continue
            }
            for (stage, values) in zip(stages, texts) {
                guard let values else { continue }
                settings.append(RecipeSetting(key: key.name, stage: stage.stage, values: values, origin: origin))
            }
        }
        self.init(settings: settings)
    }

    /// Where a run keeps its recipe.
    static let fileName = "recipe.yaml"

    /// Writes the run's recipe unless it is there: a resumed run may be told otherwise in what decides nothing.
    func write(to directory: String) throws {
        let path = directory + "/" + Self.fileName
        if !FileManager.default.fileExists(atPath: path) { try writeFile(path, yaml.utf8) }
    }
}
