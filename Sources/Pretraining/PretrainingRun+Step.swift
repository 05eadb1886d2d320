import Collectives
import FileIO
import LlamaModels
import OrderedJSON
import Partitioning
import Safetensors
import SeededRandom
import Torch

extension PretrainingRun {
    /// One optimizer step: the loss is the sum over all its targets, in all micro-batches, divided by their number.
    func trainStep() throws -> StepRecord {
        let step = position.step + 1
        let first = position.step * blocksPerStep
        let blocks = mix.blocks(first..<min(first + blocksPerStep, places))
        let rows = try blocks.map { try mix.row($0) }
        let targets = rows.reduce(0) { $0 + $1.targets.count { $0 >= 0 } }
        try record(rows, step: step)
        try optimizer.clearGradients()
        let parts = stride(from: 0, to: rows.count, by: options.batchSize).map { start in
            start..<min(start + options.batchSize, rows.count)
        }
        var sum = 0.0
        for (part, loss) in zip(parts, try losses(rows, parts, step: step, targets: targets)) {
            sum += loss
            try requireFinite(sum, "loss", step) { try blocksWithoutLoss(Array(blocks[part])) }
        }
        let lossScale = position.lossScale?.value
        let norm = try gradientSums.clip(limit: options.clip, scale: lossScale ?? 1)
        let rate = schedule.rate(step: step)
        let isSkipped = !norm.isFinite && position.lossScale?.canHalve == true
        if isSkipped {
            position.lossScale?.halve()
        } else {
            try requireFinite(norm, "gradient norm", step) { blocks }
            try optimizer.step(learningRate: rate)
            try gradientSums.shareParameters()
            position.lossScale?.recordGoodStep()
        }
        let done = StepRecord(
            step: step, loss: sum / Double(targets), textBytes: textBytes(rows), targets: targets, learningRate: rate,
            gradientNorm: isSkipped ? nil : norm, lossScale: lossScale)
        try finish(done)
        return done
    }

    /// The losses of all micro-batches; the gradients are added up over all processes.
    ///
    /// A loss that is no number ends the share.
    private func losses(
        _ rows: [PackedBlocks.Row], _ parts: [Range<Int>], step: Int, targets: Int
    ) throws -> [Double] {
        var losses = [Double](repeating: 0, count: parts.count)
        let share = ranks.share(of: parts.count)
        for number in share {
            if observer.isStopped() { throw StopRequest() }
            // Dropout draws from this, so a resumed step draws the same, and so does any number of processes.
            var generator = SplitMix64(seed: options.seed, purpose: UInt64(step), UInt64(number), 0)
            let batch = TokenBatch(rows[parts[number]], options.blockSize)
            let scale = Float(position.lossScale?.value ?? 1) / Float(targets)
            let isLast = number == share.upperBound - 1
            losses[number] = Double(
                try model.accumulateGradients(
                    batch, scale: scale, seed: generator.next(),
                    isComplete: isLast && overlapsSums ? { self.gradientSums.complete($0) } : nil))
            guard losses[number].isFinite else { break }
        }
        try gradientSums.finish()
        return try ranks.sum(losses)
    }

    /// Whether sums go on beside the way back: where all processors compute, they only take time from it.
    private var overlapsSums: Bool {
        ranks.count > 1 && options.device == .cpu
            && (options.overlapsSums ?? (options.threads < availableProcessors / ranks.sharing))
    }

    private func textBytes(_ rows: [PackedBlocks.Row]) -> Int? {
        tokenizer.pieceBytes.map { pieces in rows.reduce(0) { $0 + pieces.count($1, beginID: tokenizer.beginID) } }
    }

    private func finish(_ record: StepRecord) throws {
        position.step = record.step
        position.targets += record.targets
        position.isEvaluated = false
        let epochs = mix.epochs(before: min(record.step * blocksPerStep, places))
        var line: JSONValue = [
            "event": "step", "step": .integer(record.step), "loss": .double(record.loss),
            "bits_per_byte": record.bitsPerByte.map { .double($0) } ?? .null,
            "learning_rate": .double(record.learningRate),
            "gradient_norm": record.gradientNorm.map { .double($0) } ?? .null,
            "targets": .integer(record.targets), "bytes": record.textBytes.map { .integer($0) } ?? .null,
            "total_targets": .integer(position.targets), "epoch": .double(epochs[0]),
        ]
        if let lossScale = record.lossScale { line["loss_scale"] = .double(lossScale) }
        if epochs.count > 1 {
            var named: JSONValue = [:]
            for (corpus, epoch) in zip(mix.corpora, epochs) { named[corpus.name] = .double(epoch) }
            line["epochs"] = named
        }
        try self.record(line)
    }

    /// Writes the step's rows, all micro-batches one after another, [rows, blockSize] each, for a replay elsewhere.
    private func record(_ rows: [PackedBlocks.Row], step: Int) throws {
        guard ranks.isLeader, let directory = options.recordBatches else { return }
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
