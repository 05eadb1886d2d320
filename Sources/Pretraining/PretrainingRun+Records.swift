import LlamaModels
import OrderedJSON
import Partitioning
import Reports
import Torch

/// What one optimizer step gave: the same numbers whenever it is done again.
struct StepRecord {
    var step: Int
    /// Nats per target.
    var loss: Double
    /// Bytes of text that the targets stand for; nil where the tokenizer does not tell.
    var textBytes: Int?
    var targets: Int
    var learningRate: Double
    /// nil where it was no finite number in fp16, so that the step was skipped and the loss scale halved.
    var gradientNorm: Double?
    /// What the step's losses were multiplied by; nil but in fp16.
    var lossScale: Double?

    /// nil where there are no bytes to share the loss among.
    var bitsPerByte: Double? {
        guard let textBytes, textBytes > 0 else { return nil }
        return Evaluation(name: "", lossSum: loss * Double(targets), targets: targets, textBytes: textBytes).bitsPerByte
    }
}

/// How fast this machine multiplies matrices, to compare the training with.
struct MachineRate {
    /// Floating-point operations a second.
    let matmul: Double
    /// Floating-point operations for a token in training.
    let operationsPerToken: Double

    /// What part of its matrix products' rate the machine reaches at so many tokens a second.
    func share(_ tokensPerSecond: Double) -> Double { tokensPerSecond * operationsPerToken / matmul }
}

/// The files that tell of a run's course.
struct RunRecords {
    let log: TrainingLog
    let timing: TrainingLog
    let events: EventFile

    /// Opens them and cuts them back to where the run stands.
    init(_ directory: String, _ position: RunPosition) throws {
        log = try TrainingLog(directory + "/log.jsonl", length: position.logBytes)
        timing = try TrainingLog(directory + "/timing.jsonl", throughStep: position.step)
        events = try EventFile(directory: directory + "/tensorboard", length: position.eventBytes)
    }

    func synchronize() throws {
        try log.synchronize()
        try timing.synchronize()
        try events.synchronize()
    }
}

extension PretrainingRun {
    /// Appends a line to the log.
    func record(_ line: JSONValue) throws {
        guard let log = records?.log else { return }
        try log.append(line)
        position.logBytes = log.length
    }

    /// Appends to the TensorBoard events of the step just done.
    private func record(_ scalars: [Scalar]) throws {
        guard let events = records?.events else { return }
        try events.append(step: position.step, scalars)
        position.eventBytes = events.length
    }

    func measureMachine() throws -> MachineRate {
        let rate = MachineRate(
            matmul: try measureMatmulRate(model.computation),
            operationsPerToken: model.trainingOperations(blockSize: options.blockSize))
        observer.note(
            "machine: \(rounded(rate.matmul / 1e9, 0)) GFLOP/s in matrix products;"
                + " a token takes \(rounded(rate.operationsPerToken / 1e6, 2)) MFLOP in training")
        return rate
    }

    /// Times go to timing.jsonl and TensorBoard only: no run gives them again, and log.jsonl is the same from every run.
    func recordTimes(_ record: StepRecord, _ clock: StepClock, _ machine: MachineRate) throws {
        let speed = clock.lastTargetsPerSecond
        let memory = peakMemoryBytes()
        try records?.timing.append([
            "step": .integer(record.step), "seconds": .double(clock.lastSeconds),
            "targets_per_second": .double(speed), "matmul_share": .double(machine.share(speed)),
            "peak_memory_bytes": .integer(memory),
        ])
        let perByte = record.bitsPerByte.map { [Scalar("train/bits_per_byte", $0)] } ?? []
        let norm = record.gradientNorm.map { [Scalar("train/gradient_norm", $0)] } ?? []
        let scale = record.lossScale.map { [Scalar("train/loss_scale", $0)] } ?? []
        try self.record(
            [Scalar("train/loss", record.loss)] + perByte + [Scalar("train/learning_rate", record.learningRate)]
                + norm + scale + [
                    Scalar("train/total_targets", Double(position.targets)),
                    Scalar("machine/tokens_per_second", speed), Scalar("machine/matmul_share", machine.share(speed)),
                    Scalar("machine/peak_memory_bytes", Double(memory)),
                ])
    }

    /// One line for each set, and all in one event.
    func report(_ results: [Evaluation]) throws {
        for result in results {
            try record(result.logLine(step: position.step))
            observer.note(
                "step \(position.step): \(result.name) loss \(rounded(result.loss, 4)),"
                    + " \(rounded(result.bitsPerByte, 4)) bits per byte")
        }
        try record(
            results.flatMap { result in
                [("loss", result.loss), ("perplexity", result.perplexity), ("bits_per_byte", result.bitsPerByte)]
                    .map { Scalar("heldout/\(result.name)/\($0)", $1) }
            })
    }

    func showProgress(_ record: StepRecord, _ clock: StepClock) {
        let speed = Int(clock.targetsPerSecond.rounded())
        let left = clock.secondsLeft(steps: stepCount - position.step, evaluations: evaluationsLeft)
        observer.progress(
            ProgressUpdate(
                stage: "training \(options.stage.rawValue)", completed: position.step, total: stepCount,
                note: "loss \(rounded(record.loss, 4)) · \(speed) tokens/s", secondsLeft: left))
    }

    /// Evaluations that follow the step just done, the run's last one included.
    private var evaluationsLeft: Int {
        if heldOut.isEmpty { return 0 }
        let every = options.evaluateEvery
        return 1 + (every > 0 ? (stepCount - 1) / every - (position.step - 1) / every : 0)
    }
}
