import Checkpoints
public import Collectives
import FileIO
import Foundation
import OrderedJSON
import Provenance

extension PretrainingPlan {
    /// Runs every stage that is not finished yet, one after another.
    ///
    /// With several stages the directory holds `1-embeddings`, `2-lora` and so on, each a run of its own; a resumed run
    /// goes on in the first that is not finished.
    /// - Parameters:
    ///   - tokenizer: That of a stage.
    ///   - ranks: The processes that share the work.
    ///   - finished: Told of each stage that this call brought to its end.
    /// - Throws: What a run throws; `PretrainingError.alreadyFinished` if all stages are.
    public func run(
        resume: Bool, force: Bool, observer: RunObserver, ranks: Collectives = Collectives(),
        tokenizer: (PretrainingOptions) throws -> TrainingTokenizer = {
            try TrainingTokenizer(contentsOf: $0.tokenizer ?? $0.model)
        },
        finished: (PretrainingSummary) -> Void = { _ in }
    ) throws {
        func start(_ stage: PretrainingOptions) throws {
            let run = try PretrainingRun(
                stage, tokenizer: tokenizer(stage), resume: resume, force: force, observer: observer, ranks: ranks)
            finished(try run.run())
        }
        if stages.count == 1 { return try start(stages[0]) }
        // What the first stage cannot open leaves no directory behind.
        if !resume {
            _ = try Checkpoint(directory: stages[0].model)
            _ = try tokenizer(stages[0])
        }
        let names = stages.map { ($0.out as NSString).lastPathComponent }
        let directory = try ranks.openRun {
            let directory = try RunDirectory(
                out, description: description(names), inputs: inputPaths, resume: resume, force: force,
                holdsCheckpoints: false)
            try recipe.write(to: out)
            return directory
        }
        let note: (String) -> Void = { if ranks.isLeader { observer.note($0) } }
        for stage in stages {
            note("stage \((stage.out as NSString).lastPathComponent)")
            do {
                try start(stage)
            } catch PretrainingError.alreadyFinished {
                note("finished before")
            } catch {
                directory?.abandon()
                throw error
            }
        }
        guard ranks.isLeader else { return }
        let results = try stages.map { try JSONValue(parsing: readFile($0.out + "/" + Manifest.fileName)) }
        try Manifest(
            options: ["stages": .strings(names)],
            results: ["stages": .array(results.map { $0["results"] ?? .null })]
        ).write(to: out)
        // The lock is held to the end.
        _ = directory
    }

    /// What decides the result besides the inputs, which each stage knows its own of.
    private func description(_ names: [String]) -> JSONValue {
        var options: JSONValue = [:]
        for (name, stage) in zip(names, stages) { options[name] = stage.deciding }
        return ["stages": .strings(names), "options": options]
    }

    /// What no stage makes itself.
    private var inputPaths: [String] {
        stages[0].inputPaths + stages.dropFirst().flatMap(\.textPaths)
    }
}
