import FileIO
import Foundation
import Synchronization
import TestSupport

@testable import Pretraining

/// Says to stop at its `limit`-th question.
final class StopAfter: Sendable {
    private let questions = Atomic(0)
    private let limit: Int

    init(_ limit: Int) { self.limit = limit }

    func isStopped() -> Bool { questions.wrappingAdd(1, ordering: .relaxed).newValue >= limit }
}

/// Options of a short run with dropout, accumulation, evaluation and checkpoints; the first call in a directory makes the
/// model and the texts there.
func tinyRunOptions(
    _ directory: String, _ stage: TrainingStage, out: String, steps: Int
) throws -> PretrainingOptions {
    let text = directory + "/text.txt"
    if !FileManager.default.fileExists(atPath: text) {
        try makeTinyModel(in: directory + "/model")
        try writeFile(text, sampleDocuments(40).joined(separator: "\n").utf8)
        try writeFile(directory + "/heldout.txt", sampleDocuments(6, seed: 8).joined(separator: "\n").utf8)
    }
    var options = PretrainingOptions(
        model: directory + "/model", text: [text], stage: stage, out: directory + "/" + out, length: .steps(steps),
        threads: 1)
    options.heldOut = [NamedText(name: "held", paths: [directory + "/heldout.txt"])]
    if stage == .embeddings { options.firstNewRow = 110 }
    options.batchSize = 3
    options.accumulation = 2
    options.blockSize = 16
    options.learningRate = 0.01
    options.loraDropout = 0.2
    options.evaluateEvery = 3
    options.saveEvery = 2
    options.cache = directory + "/tokens"
    return options
}

/// Runs until the end, or until the `stop`-th question whether to stop.
func startRun(_ options: PretrainingOptions, resume: Bool = false, stop: Int = .max) throws
    -> PretrainingSummary
{
    let stopper = StopAfter(stop)
    return try PretrainingRun(
        options, tokenizer: byteTokenizer, resume: resume, force: false,
        observer: RunObserver(isStopped: { stopper.isStopped() })
    ).run()
}
