import OrderedJSON

/// The evaluation of a run that judged best: the one with the fewest bits per byte, the earliest of equals.
package struct BestEvaluation: Sendable, Equatable {
    package var step: Int
    package var bitsPerByte: Double

    package init(step: Int, bitsPerByte: Double) {
        self.step = step
        self.bitsPerByte = bitsPerByte
    }
}

extension BestEvaluation {
    var json: JSONValue { ["step": .integer(step), "bits_per_byte": .double(bitsPerByte)] }

    init?(_ json: JSONValue) {
        guard let step = json["step"]?.int, let bitsPerByte = json["bits_per_byte"]?.double else { return nil }
        self.init(step: step, bitsPerByte: bitsPerByte)
    }
}

extension PretrainingRun {
    /// Whether the evaluations did not get better for as long as `patience` allows.
    var isStoppedEarly: Bool { options.patience > 0 && position.evaluationsSinceBest >= options.patience }

    /// Compares with the best evaluation so far. A better one is kept; too many worse ones end the run.
    func judge(_ results: [Evaluation]) throws {
        guard options.judgesEvaluations else { return }
        let judged = results.filter { options.bestBy == nil || $0.name == options.bestBy }
        let value = judged.reduce(0) { $0 + $1.bitsPerByte } / Double(judged.count)
        if position.best.map({ value < $0.bitsPerByte }) ?? true {
            let best = BestEvaluation(step: position.step, bitsPerByte: value)
            position.best = best
            position.evaluationsSinceBest = 0
            try record(["event": "best", "step": .integer(best.step), "bits_per_byte": .double(value)])
            if options.keepsBest { try saveBest() }
        } else {
            position.evaluationsSinceBest += 1
            if isStoppedEarly {
                try record(["event": "early_stop", "step": .integer(position.step)])
                observer.note(
                    "step \(position.step): no better for \(options.patience) evaluations; the run ends here")
            }
        }
    }
}
