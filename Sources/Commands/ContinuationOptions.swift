import ArgumentParser
import PieceModel
import TokenizerTraining

/// Training that goes on from a vocabulary.
struct ContinuationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A BPE vocabulary to go on from: new merges are learned on top of its own segmentation, its pieces keep ids "
                + "and scores. Normalization and special pieces are its own; --vocab-size is the size of the result.",
            valueName: "model"))
    var baseModel: String?

    @Option(help: "How many pieces to add to --base-model, instead of --vocab-size.")
    var newPieces: Int?

    @Option(
        help: ArgumentHelp(
            "Writing systems, separated by commas: Han, Kana, Bopomofo, Hangul, Latin. Each new piece holds a character of "
                + "one of them, so that texts without them keep their ids. (default: all)"))
    var scripts = ""

    func validate() throws {
        if baseModel == nil, newPieces != nil || !scripts.isEmpty {
            throw ValidationError("--new-pieces and --scripts need --base-model")
        }
        if let newPieces, newPieces < 1 { throw ValidationError("--new-pieces must be at least 1.") }
        _ = try parsedScripts(scripts)
    }

    func continuation(vocabularySize: Int32) throws -> TokenizerTrainer.Continuation? {
        guard let baseModel else { return nil }
        let base = try SentencePieceModel(contentsOf: tokenizerPath(baseModel))
        let count = newPieces ?? Int(vocabularySize) - base.pieces.count
        if count < 1 {
            throw TrainingError.badSpecification(
                flag: "vocab-size",
                reason: "\(vocabularySize) is not above the base's \(base.pieces.count); give the size of the result")
        }
        return TokenizerTrainer.Continuation(base: base, newPieces: count, scripts: try parsedScripts(scripts))
    }
}
