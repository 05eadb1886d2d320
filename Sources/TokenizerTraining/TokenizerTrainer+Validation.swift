import PieceModel

extension TokenizerTrainer {
    /// What sentencepiece 0.2.3 refuses before it reads the text.
    func validateSpecification() throws(TrainingError) {
        try validateRanges()
        try validateModelType()
        try validateNames()
        if specification.autoCharacterCoverage { try validateAutomaticCoverage() }
    }

    private func check(_ condition: Bool, _ flag: String, _ reason: String) throws(TrainingError) {
        if !condition { throw .badSpecification(flag: flag, reason: reason) }
    }

    private func checkRange<T: Comparable>(
        _ value: T, _ range: ClosedRange<T>, _ flag: String
    ) throws(TrainingError) {
        try check(range.contains(value), flag, "\(value) is not between \(range.lowerBound) and \(range.upperBound)")
    }

    private func validateRanges() throws(TrainingError) {
        let spec = specification
        try check(spec.vocabSize > 0, "vocab-size", "\(spec.vocabSize) is not positive")
        try check(
            (0.98...1.0).contains(Double(spec.characterCoverage)), "character-coverage",
            "\(spec.characterCoverage) is not between 0.98 and 1")
        try checkRange(spec.maxSentencepieceLength, 1...512, "max-sentencepiece-length")
        try checkRange(spec.maxSentenceLength, 10...1_073_741_824, "max-sentence-length")
        try checkRange(spec.numSubIterations, 1...10, "num-sub-iterations")
        try checkRange(spec.numThreads, 1...1024, "num-threads")
        try checkRange(Double(spec.shrinkingFactor), 0.5...Double(Float(0.95)), "shrinking-factor")
        try check(
            spec.inputSentenceSize == 0 || spec.inputSentenceSize > 100, "input-sentence-size",
            "\(spec.inputSentenceSize) is too few; give more than 100, or 0 for all")
    }

    private func validateModelType() throws(TrainingError) {
        let spec = specification
        let isCounted = spec.modelType == .char || spec.modelType == .word
        try check(isCounted || !spec.useAllVocab, "use-all-vocab", "only char and word models can have all")
        try check(
            spec.modelType == .unigram || spec.seedSentencepiecesFile.isEmpty, "seed-sentencepieces-file",
            "only unigram training begins with seed pieces")
        try check(
            !isCounted || spec.pretokenizationDelimiter.isEmpty, "pretokenization-delimiter",
            "only unigram and bpe models are trained with it")
    }

    private func validateNames() throws(TrainingError) {
        let spec = specification
        try check(!spec.input.isEmpty, "input", "no file is named")
        try check(
            ["", "text", "tsv"].contains(spec.inputFormat), "input-format",
            "\"\(spec.inputFormat)\" is unknown; choose text or tsv")
        for (flag, piece) in [
            ("unk-piece", spec.unkPiece), ("bos-piece", spec.bosPiece), ("eos-piece", spec.eosPiece),
            ("pad-piece", spec.padPiece),
        ] {
            try check(!piece.isEmpty, flag, "it is empty; give it a text, even if its id is -1")
        }
    }

    private func validateAutomaticCoverage() throws(TrainingError) {
        let flag = "auto-character-coverage"
        let spec = specification
        try check(
            spec.modelType == .bpe || (spec.modelType == .unigram && unigram.usesSparsePruning), flag,
            "it needs a bpe model, or a unigram model with --use-sparse-pruning")
        try check(spec.byteFallback, flag, "it needs --byte-fallback")
        try check(spec.requiredChars.isEmpty, flag, "it cannot go with --required-chars")
    }
}
