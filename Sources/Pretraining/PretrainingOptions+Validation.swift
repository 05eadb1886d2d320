import Torch

extension PretrainingOptions {
    /// AdamW moves a weight by about the rate: more leaves nothing of any model.
    private static let rates = 0.0...1000.0

    /// - Parameter needsText: false for a look ahead, which reads no text.
    /// - Throws: `PretrainingError.badOption`.
    public func validate(needsText: Bool = true) throws(PretrainingError) {
        func require(_ condition: Bool, _ name: String, _ value: some CustomStringConvertible, _ need: String)
            throws(PretrainingError)
        {
            if !condition { throw .badOption(name: name, value: "\(value)", need: need) }
        }
        switch length {
        case .steps(let count): try require((0...1 << 22).contains(count), "--steps", count, "must be 0 to 4194304")
        case .epochs(let count): try require((1...1 << 20).contains(count), "--epochs", count, "must be 1 to 1048576")
        }
        try require((1...1 << 20).contains(batchSize), "--batch-size", batchSize, "must be 1 to 1048576")
        try require((1...1 << 20).contains(accumulation), "--accumulation", accumulation, "must be 1 to 1048576")
        try require((1...1 << 20).contains(blockSize), "--block-size", blockSize, "must be 1 to 1048576")
        try require(
            batchSize * accumulation <= (1 << 32) / blockSize, "--batch-size", batchSize,
            "makes more than 4294967296 tokens a step of --accumulation \(accumulation) and --block-size \(blockSize)")
        try require(Self.rates.contains(learningRate), "--learning-rate", learningRate, "must be 0 to 1000")
        try require((0...1 << 22).contains(warmupSteps), "--warmup-steps", warmupSteps, "must be 0 to 4194304")
        try require(
            (0...1).contains(minimumLearningRateRatio), "--minimum-learning-rate-ratio", minimumLearningRateRatio,
            "must be 0 to 1")
        try require(weightDecay.isFinite && weightDecay >= 0, "--weight-decay", weightDecay, "must be 0 or more")
        try require((0..<1).contains(adamBeta1), "--adam-beta1", adamBeta1, "must be 0 to below 1")
        try require((0..<1).contains(adamBeta2), "--adam-beta2", adamBeta2, "must be 0 to below 1")
        try require(adamEpsilon > 0 && adamEpsilon <= 1, "--adam-epsilon", adamEpsilon, "must be above 0, at most 1")
        if let warmupRatio {
            try require((0...1).contains(warmupRatio), "--warmup-ratio", warmupRatio, "must be 0 to 1")
            try require(warmupSteps == 0, "--warmup-ratio", warmupRatio, "takes the place of --warmup-steps")
        }
        if let decaySteps {
            try require((0...1 << 22).contains(decaySteps), "--decay-steps", decaySteps, "must be 0 to 4194304")
        }
        if let embeddingLearningRate {
            try require(
                Self.rates.contains(embeddingLearningRate), "--embedding-learning-rate", embeddingLearningRate,
                "must be 0 to 1000")
            try require(
                (embeddingLearningRate / learningRate).isFinite, "--embedding-learning-rate", embeddingLearningRate,
                "needs a --learning-rate above 0, whose schedule it follows")
        }
        try require(clip.isFinite && clip > 0, "--clip", clip, "must be above 0")
        try require(evaluateEvery >= 0, "--evaluate-every", evaluateEvery, "must not be negative")
        try require(patience >= 0, "--patience", patience, "must not be negative")
        try require((1...2048).contains(sampleTokens), "--sample-tokens", sampleTokens, "must be 1 to 2048")
        try require(saveEvery >= 0, "--save-every", saveEvery, "must not be negative")
        let counts = TorchRuntime.threadCounts
        try require(
            counts.contains(threads), "--threads", threads, "must be \(counts.lowerBound) to \(counts.upperBound)")
        if !takesAnyPrecision {
            do throws(ComputationError) {
                try Computation.check(device, precision)
            } catch {
                throw PretrainingError(error)
            }
        }
        try require((1...1 << 16).contains(loraRank), "--lora-rank", loraRank, "must be 1 to 65536")
        try require(loraAlpha.isFinite, "--lora-alpha", loraAlpha, "must be a number")
        try require(loraDropout >= 0 && loraDropout < 1, "--lora-dropout", loraDropout, "must be 0 to below 1")
        try require(!loraTargets.isEmpty, "--lora-targets", "", "names no projection")
        _ = try loraConfiguration()
        try validateRows()
        if needsText || !text.isEmpty || !mix.isEmpty { try validateTexts() }
    }

    private func validateTexts() throws(PretrainingError) {
        if text.isEmpty == mix.isEmpty {
            throw .badOption(
                name: "--text", value: "", need: "name what to train on by --text or by --mix, one of them")
        }
        if mix.reduce(0, { $0 + $1.weight.millionths }) > MixWeight.limit {
            throw .badOption(name: "--mix", value: "", need: "its weights must sum to at most 1000")
        }
        try requireUnique(mix.map(\.name), "--mix", "names two corpora; give each its own name")
        if !(holdOut >= 0 && holdOut < 1) {
            throw .badOption(name: "--hold-out", value: "\(holdOut)", need: "must be 0 to below 1")
        }
        if attendsAcrossDocuments, blockSize < 2 {
            throw .badOption(
                name: "--block-size", value: "\(blockSize)", need: "must be at least 2 with --attend-across-documents")
        }
        if text.contains("") { throw .badOption(name: "--text", value: "\"\"", need: "names no file") }
        let names = (holdOut > 0 ? corpora.map(\.name) : []) + heldOut.map(\.name)
        try requireUnique(names, "--heldout", "names two held-out sets; give each its own name")
        if judgesEvaluations, names.isEmpty {
            let name = keepsBest ? "--keep-best" : "--patience"
            throw .badOption(name: name, value: "", need: "needs texts to measure on; name some by --heldout")
        }
        if let bestBy, names.isEmpty {
            throw .badOption(
                name: "--best-by", value: bestBy, need: "needs texts to measure on; name some by --heldout")
        }
        if let bestBy, !names.contains(bestBy) {
            throw .badOption(
                name: "--best-by", value: bestBy, need: "is none of the held-out sets \(names.joined(separator: ", "))")
        }
    }

    private func requireUnique(_ names: [String], _ option: String, _ need: String) throws(PretrainingError) {
        for name in names where names.count(where: { $0 == name }) > 1 {
            throw .badOption(name: option, value: name, need: need)
        }
    }

    private func validateRows() throws(PretrainingError) {
        if stage == .full, let trainRows, trainRows != .all {
            throw .badOption(name: "--train-rows", value: trainRows.rawValue, need: "stage full trains every weight")
        }
        if stage == .embeddings, trainRows == TrainedRows.none {
            throw .badOption(name: "--train-rows", value: "none", need: "would leave stage embeddings nothing to train")
        }
        if let firstNewRow, firstNewRow < 1 {
            throw .badOption(
                name: "--first-new-row", value: "\(firstNewRow)", need: "must be above 0; --train-rows all trains all")
        }
    }
}
