import Corpora

extension TrainingMix {
    /// The corpora that a run trains on.
    ///
    /// - Parameters:
    ///   - padding: the id of filled-up inputs.
    ///   - rows: the model's vocabulary.
    ///   - tokens: gives the ids of the corpus of a number.
    init(
        _ options: PretrainingOptions, padding: Int32, rows: Int, tokens: (Int) throws -> TokenizedText
    ) throws {
        let corpora = try options.corpora.enumerated().map { number, corpus in
            let text = try tokens(number)
            return Corpus(
                name: corpus.name, weight: corpus.weight, text: text,
                blocks: PackedBlocks(
                    text.trained, blockSize: options.blockSize,
                    attendsAcrossDocuments: options.attendsAcrossDocuments, padding: padding, rows: rows),
                seed: options.seed, number: number)
        }
        self.init(corpora)
    }

    /// The places of a run that is as long as the options say.
    ///
    /// - Throws: `PretrainingError.badOption` for more than can be counted.
    mutating func places(_ options: PretrainingOptions) throws(PretrainingError) -> Int {
        switch options.length {
        case .steps(let count): return count * options.blocksPerStep
        case .epochs(let count):
            // Ids are counted too.
            guard let places = places(epochs: count),
                !places.multipliedReportingOverflow(by: options.blockSize).overflow
            else {
                throw .badOption(name: "--epochs", value: "\(count)", need: "is beyond what can be counted")
            }
            return places
        }
    }
}

extension PretrainingOptions {
    /// Blocks in an optimizer step.
    var blocksPerStep: Int { batchSize * accumulation }

    /// Optimizer steps in so many places.
    func stepCount(places: Int) -> Int { places / blocksPerStep + (places.isMultiple(of: blocksPerStep) ? 0 : 1) }

    var heldOutShare: HoldOut? { holdOut > 0 ? HoldOut(share: holdOut) : nil }
}
