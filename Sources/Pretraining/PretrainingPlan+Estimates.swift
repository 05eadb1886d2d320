import Checkpoints
import FileIO
import Foundation

extension PretrainingPlan {
    /// What each stage will train and take, in each of so many processes; needs only the config.json of the first one's
    /// model.
    public func estimates(processes: Int = 1) throws -> [RunEstimate] {
        guard !stages.isEmpty else { return [] }
        let config = try config()
        return try stages.map { try RunEstimate($0, model: config, processes: processes) }
    }

    /// The same, after checking that the texts are there; where a stage goes over them so many times and the tokenizer is at
    /// hand, its steps are counted.
    ///
    /// - Throws: `FileError.missing` for a text, and what reading it throws.
    public func countedEstimates(processes: Int = 1, observer: RunObserver = RunObserver()) throws -> [RunEstimate] {
        var estimates = try estimates(processes: processes)
        for path in Set(stages.flatMap(\.textPaths)).sorted() { try requireExisting(path) }
        // Never given its name, so that it goes in the end, with an error, and with a signal.
        let scratch = try OutputDirectory(
            FileManager.default.temporaryDirectory.path + "/kuoci-dry-run-" + UUID().uuidString, replacing: false)
        defer { withExtendedLifetime(scratch) {} }
        for (place, stage) in stages.enumerated() where stage.hasText {
            guard case .epochs = stage.length, let tokenizer = try tokenizer(of: stage) else { continue }
            let places = try stage.countPlaces(
                rows: config().vocabularySize,
                caches: TokenCacheDirectory(
                    scratch.stagingPath, tokenizer: tokenizer, threads: stage.threads, observer: observer))
            estimates[place].steps = stage.stepCount(places: places)
            estimates[place].tokens = places * stage.blockSize
        }
        return estimates
    }

    private func config() throws -> ModelConfig {
        let model = stages[0].model
        return try ModelConfig(contentsOf: model.hasSuffix(".json") ? model : model + "/config.json")
    }

    /// The tokenizer named for the stage, or that of the first model; nil where that has none.
    private func tokenizer(of stage: PretrainingOptions) throws -> TrainingTokenizer? {
        if let named = stage.tokenizer { return try TrainingTokenizer(contentsOf: named) }
        if stages[0].model.hasSuffix(".json") { return nil }
        do {
            return try TrainingTokenizer(contentsOf: stages[0].model)
        } catch FileError.missing {
            return nil
        }
    }
}

extension PretrainingOptions {
    fileprivate var hasText: Bool { !text.isEmpty || !mix.isEmpty }

    /// The places of the run.
    fileprivate func countPlaces(rows: Int, caches: TokenCacheDirectory) throws -> Int {
        let corpora = corpora
        var mix = try TrainingMix(self, padding: caches.tokenizer.endID, rows: rows) { number in
            try caches.tokens(
                of: TextSource(corpora[number].paths, documents), named: corpora[number].name, holdOut: heldOutShare)
        }
        return try mix.places(self)
    }
}
