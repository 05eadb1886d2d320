import FileIO
import Foundation
import LlamaModels
import OrderedJSON
import Safetensors
import SeededRandom
import Torch

extension PretrainingRun {
    /// One optimizer step: the loss is the sum over all its targets, in all micro-batches, divided by their number.
    func trainStep() throws {
        let step = position.step + 1
        let first = position.step * blocksPerStep
        let rows = try mix.rows(first..<min(first + blocksPerStep, places))
        let targets = rows.reduce(0) { $0 + $1.targets.count { $0 >= 0 } }
        try record(rows, step: step)
        try optimizer.clearGradients()
        var sum = 0.0
        for (number, start) in stride(from: 0, to: rows.count, by: options.batchSize).enumerated() {
            if observer.isStopped() { throw StopRequest() }
            // Dropout draws from this, so a resumed step draws the same.
            var generator = SplitMix64(seed: options.seed, purpose: UInt64(step), UInt64(number), 0)
            let batch = TokenBatch(rows[start..<min(start + options.batchSize, rows.count)], options.blockSize)
            let loss = try model.lossSum(batch, training: true, seed: generator.next())
            sum += Double(try loss.scalar())
            try requireFinite(sum, "loss", step)
            try model.backward(loss, scale: 1 / Float(targets))
        }
        let norm = try clipGradientNorm(model.trainableParameters.map(\.tensor), limit: options.clip)
        try requireFinite(norm, "gradient norm", step)
        let rate = schedule.rate(step: step)
        try optimizer.step(learningRate: rate)
        lastLoss = sum / Double(targets)
        try finishStep(step, targets: targets, rate: rate, norm: norm)
    }

    private func finishStep(_ step: Int, targets: Int, rate: Double, norm: Double) throws {
        position.step = step
        position.targets += targets
        position.isEvaluated = false
        let epochs = mix.epochs(before: min(step * blocksPerStep, places))
        var line: JSONValue = [
            "event": "step", "step": .integer(step), "loss": .double(lastLoss), "learning_rate": .double(rate),
            "gradient_norm": .double(norm), "targets": .integer(targets), "total_targets": .integer(position.targets),
            "epoch": .double(epochs[0]),
        ]
        if epochs.count > 1 {
            var named: JSONValue = [:]
            for (corpus, epoch) in zip(mix.corpora, epochs) { named[corpus.name] = .double(epoch) }
            line["epochs"] = named
        }
        try log.append(line)
        position.logBytes = log.length
    }

    /// Stops the run before a number that is none reaches a weight; JSON knows no NaN, so the log says null.
    private func requireFinite(_ value: Double, _ what: String, _ step: Int) throws {
        if value.isFinite { return }
        try log.append(["event": "not_finite", "step": .integer(step), "what": .string(what), "value": .null])
        let last = directory.checkpoints.steps().last.map { directory.checkpoints.path(step: $0) }
        throw PretrainingError.notFinite(what: what, step: step, run: options.out, lastCheckpoint: last)
    }

    /// Writes the step's rows, all micro-batches one after another, [rows, blockSize] each, for a replay elsewhere.
    private func record(_ rows: [PackedBlocks.Row], step: Int) throws {
        guard let directory = options.recordBatches else { return }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        func entry(_ name: String, _ values: [Int32]) -> (plan: TensorPlan, bytes: [UInt8]) {
            let plan = TensorPlan(name: name, type: .int32, shape: [rows.count, options.blockSize])
            return (plan, values.withUnsafeBytes { Array($0) })
        }
        let digits = String(step)
        let name = "step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".safetensors"
        try writeSafetensors(
            directory + "/" + name,
            [
                entry("tokens", rows.flatMap(\.tokens)), entry("targets", rows.flatMap(\.targets)),
                entry("positions", rows.flatMap(\.positions)), entry("documents", rows.flatMap(\.documents)),
            ],
            metadata: ["batch_size": "\(options.batchSize)"])
    }
}

extension TokenBatch {
    /// The rows of a micro-batch, one after another.
    init(_ rows: some Collection<PackedBlocks.Row>, _ blockSize: Int) {
        self.init(
            batchSize: rows.count, blockSize: blockSize, tokens: rows.flatMap(\.tokens),
            targets: rows.flatMap(\.targets), positions: rows.flatMap(\.positions),
            documents: rows.flatMap(\.documents))
    }
}
