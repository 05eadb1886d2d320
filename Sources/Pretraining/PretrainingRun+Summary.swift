import FileIO
import Foundation
import LlamaModels
public import OrderedJSON
import Partitioning
import Torch

/// What came out of a finished run.
public struct PretrainingSummary: Sendable {
    public var stage: TrainingStage
    public var steps: Int
    /// Ids that were predicted in training, repeated epochs counted again.
    public var trainedTargets: Int
    /// Where every id of each corpus went.
    public var corpora: [CorpusAccount]
    public var trainableParameters: Int
    /// Before the first step, one for each held-out set.
    public var before: [Evaluation]
    /// After the last step.
    public var after: [Evaluation]
    /// The adapter or model directory.
    public var result: String
    /// Of the steps done by this process; 0 where it did none.
    public var tokensPerSecond: Double
    public var trainingSeconds: Double
    public var peakMemoryBytes: Int

    /// What the same inputs give again: no times, no memory.
    public var json: JSONValue {
        [
            "stage": .string(stage.rawValue), "steps": .integer(steps), "trained_targets": .integer(trainedTargets),
            "corpora": .array(corpora.map(\.json)), "trainable_parameters": .integer(trainableParameters),
            "before": .array(before.map(\.json)), "after": .array(after.map(\.json)),
        ]
    }
}

extension PretrainingSummary {
    /// A few lines for people.
    public var text: String {
        var lines = [
            "stage \(stage.rawValue): \(steps) steps, \(trainedTargets) targets,"
                + " \(trainableParameters) trainable parameters"
        ]
        lines += corpora.map { $0.sum + "; \(rounded($0.epochs, 3)) times the text" }
        if tokensPerSecond > 0 {
            lines.append(
                "\(rounded(tokensPerSecond, 0)) tokens/s over \(rounded(trainingSeconds, 1)) s of training,"
                    + " \(rounded(Double(peakMemoryBytes) / 1e9, 2)) GB of memory at most")
        }
        for (old, new) in zip(before, after) {
            lines.append(
                "\(new.name): \(rounded(old.bitsPerByte, 4)) -> \(rounded(new.bitsPerByte, 4)) bits per byte,"
                    + " loss \(rounded(old.loss, 4)) -> \(rounded(new.loss, 4))")
        }
        lines.append("result: \(result)")
        return lines.joined(separator: "\n")
    }
}

extension PretrainingRun {
    /// Says where every id of the corpora goes; a new run's log begins with it.
    func noteAccounts() throws {
        let accounts = mix.accounts(places: places)
        for account in accounts {
            for line in account.lines { observer.note(line) }
        }
        for set in heldOut {
            let counts = set.blocks.cache.counts
            observer.note(
                "held out \(set.name): \(counts.documents) documents, \(counts.textBytes) bytes,"
                    + " \(counts.targets) ids to predict in \(set.blocks.blockCount) blocks")
        }
        let epochs = accounts.map { "\(rounded($0.epochs, 3)) times \($0.name)" }.joined(separator: ", ")
        observer.note("run: \(stepCount) steps of \(blocksPerStep) blocks = \(epochs)")
        if records?.log.length == 0 { try record(["event": "corpora", "corpora": .array(accounts.map(\.json))]) }
    }

    /// Measures every held-out set, logs them all at once, and then the samples.
    func evaluateHeldOut() throws {
        var results: [Evaluation] = []
        for set in heldOut {
            let result = try evaluate(
                model, set, batchSize: options.batchSize, ranks: ranks, isStopped: observer.isStopped
            ) {
                observer.progress(
                    .init(stage: "measuring \(set.name), blocks", completed: $0, total: set.blocks.blockCount))
            }
            try requireFinite(result.lossSum, "held-out loss of \(set.name)", position.step)
            results.append(result)
        }
        try writeSamples()
        try report(results)
        try judge(results)
    }

    func summarize(_ clock: StepClock) throws -> PretrainingSummary {
        PretrainingSummary(
            stage: options.stage, steps: position.step, trainedTargets: position.targets,
            corpora: mix.accounts(places: min(position.step * blocksPerStep, places)),
            trainableParameters: model.trainableParameters.reduce(0) { $0 + $1.tensor.count },
            before: try evaluations(atStep: 0), after: try evaluations(atStep: position.step),
            result: resultPath, tokensPerSecond: clock.targetsPerSecond, trainingSeconds: clock.steps.seconds,
            peakMemoryBytes: Pretraining.peakMemoryBytes())
    }

    /// From the log, which also knows what a run did before it was resumed.
    private func evaluations(atStep step: Int) throws -> [Evaluation] {
        guard let log = records?.log else { return [] }
        return try readFile(log.path).split(separator: 0x0A).compactMap { line in
            guard let value = try? JSONValue(parsing: line), value["event"]?.string == "evaluation",
                value["step"]?.int == step
            else { return nil }
            return Evaluation(value)
        }
    }
}

extension Evaluation {
    func logLine(step: Int) -> JSONValue {
        [
            "event": "evaluation", "step": .integer(step), "set": .string(name), "loss": .double(loss),
            "perplexity": .double(perplexity), "bits_per_byte": .double(bitsPerByte), "targets": .integer(targets),
            "bytes": .integer(textBytes),
        ]
    }

    /// A line of the log; a loss that was no number reads as NaN.
    init?(_ line: JSONValue) {
        guard let name = line["set"]?.string, let targets = line["targets"]?.int, let bytes = line["bytes"]?.int
        else { return nil }
        let loss = line["loss"]?.double ?? .nan
        self.init(name: name, lossSum: loss * Double(targets), targets: targets, textBytes: bytes)
    }
}
