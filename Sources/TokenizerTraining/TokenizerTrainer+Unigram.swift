import PieceModel
import UnicodeText

/// Unigram models: fitted, then cut to the vocabulary's size.
extension TokenizerTrainer {
    func trainUnigram(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ special: SpecialPieces
    ) throws -> SentencePieceModel {
        let path = specification.seedSentencepiecesFile
        let seedFile = path.isEmpty ? nil : try SeedFile(path, rules: PieceRules(specification))
        let (text, alphabet) = try readSymbols(corpus, preparation, seedFile)
        let needed = special.count + (alphabet.isFixed ? alphabet.characters.count : 0)
        if needed > specification.vocabSize {
            throw TrainingError.alphabetTooLarge(vocabularySize: Int(specification.vocabSize), needed: needed)
        }
        var trainer = UnigramTrainer(
            text, specification: specification, options: unigram, seedFile: seedFile, threads: threads,
            progress: progress)
        let fitted = try trainer.train()
        let pieces = finalPieces(fitted, alphabet, room: Int(specification.vocabSize) - special.count)
        return try assemble(pieces, special: special)
    }

    /// The sentences themselves are gone when this returns.
    private func readSymbols(
        _ corpus: TrainingCorpus, _ preparation: SentencePreparation, _ seedFile: SeedFile?
    ) throws -> (SymbolText, Alphabet) {
        let sentences = try TrainingSentences(corpus, preparation: preparation)
        let alphabet = try Alphabet(of: sentences, specification: specification, threads: threads)
        let text = try SymbolText(
            sentences, alphabet: alphabet, extra: seedFile?.entries.flatMap(\.scalars) ?? [],
            rules: PieceRules(specification), threads: threads)
        return (text, alphabet)
    }

    /// All required characters, then the pieces with the highest scores; ordered by score.
    private func finalPieces(_ fitted: UnigramPieces, _ alphabet: Alphabet, room: Int) -> [LearnedPiece] {
        var scores = ByteStringTable(minimumCapacity: fitted.texts.count)
        for text in fitted.texts { scores.insert(text) }
        var taken = [Bool](repeating: false, count: fitted.texts.count)
        var result: [LearnedPiece] = []
        if alphabet.isFixed {
            // A required character that is no piece gets the lowest score and a little more for each before it.
            var penalty: Float = 0
            for character in alphabet.characters {
                let text = UTF8Scalars.bytes(of: character.scalar)
                if let index = scores.index(of: text) {
                    result.append(LearnedPiece(text: text, score: fitted.scores[index]))
                    taken[index] = true
                } else {
                    result.append(LearnedPiece(text: text, score: fitted.minimumScore + penalty))
                    penalty += 0.0001
                }
            }
        }
        let pieces = zip(fitted.texts, fitted.scores).map { LearnedPiece(text: $0, score: $1) }
        let ordered = pieces.indices.sorted { isBefore(pieces[$0], pieces[$1]) }
        for index in ordered where !taken[index] && result.count < room { result.append(pieces[index]) }
        return result.sorted(by: isBefore)
    }
}

/// By falling score, then by bytes.
private func isBefore(_ left: LearnedPiece, _ right: LearnedPiece) -> Bool {
    left.score != right.score ? left.score > right.score : left.text.lexicographicallyPrecedes(right.text)
}
