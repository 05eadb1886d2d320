public import FileIO

public enum MergeError: BadDataError, Equatable {
    case baseIsNotBPE(path: String)
    case sizeBelowBase(size: Int, path: String, count: Int)
    case tooFewPieces(size: Int, path: String, possible: Int)
    /// What must be added needs more room than there is.
    case sizeBelowRequired(size: Int, needed: Int)
    case noRoomBelow(path: String, score: Float)
    /// A vocabulary that was not learned on top of the base; `found` is nil where it ends.
    case doesNotContinue(path: String, base: String, id: Int, piece: String, found: String?)
    case nothingContinued(path: String, base: String)
    /// A piece after the base's that continued training does not make so.
    case notLearned(path: String, id: Int, piece: String)
    /// A text without the scripts of the new pieces that gets other ids: the proof fails.
    case changesText(path: String, line: Int, changed: Int, texts: Int)
    /// The finished merge is not without harm.
    case cannotProve(path: String, unreached: Int, broken: Int)
    case padTokenExists(path: String, piece: String, id: Int)
    /// Padding up to a multiple of a number that makes a vocabulary too large.
    case tooMuchPadding(path: String, factor: Int, most: Int)
    /// No text without the scripts of the new pieces is in files that were to prove that such texts keep their ids.
    case nothingToProve(paths: [String])
    /// No text is in files by which pieces were to be chosen.
    case noText(paths: [String])
    case wordTooLong(path: String, line: Int, characters: Int, most: Int)

    public var description: String {
        switch self {
        case .baseIsNotBPE(let path):
            "\(path): the base is not a BPE model, whose merges new pieces could join; give a LLaMA-family model"
        case .sizeBelowBase(let size, let path, let count):
            "\(path): holds \(count) entries already, more than --size \(size); ask for more or leave --size out"
        case .tooFewPieces(let size, let path, let possible):
            "\(path): brings too few new pieces, the merge has \(possible) entries where --size asks for \(size); "
                + "train a larger vocabulary (kuoci train --vocab-size) or ask for \(possible) at most"
        case .sizeBelowRequired(let size, let needed):
            "--size \(size): the words and characters asked for make \(needed) entries with what they need; "
                + "ask for as many at least"
        case .noRoomBelow(let path, let score):
            "\(path): the base has the score \(score), below which there is no room for new pieces; "
                + "use --policy append"
        case .doesNotContinue(let path, let base, let id, let piece, let found):
            "\(path): entry \(id) is \(found.map { "(\($0))" } ?? "missing") where \(base) has (\(piece)): it was not learned on "
                + "top of this base; train it with kuoci train --base-model \(base)"
        case .nothingContinued(let path, let base):
            "\(path): has no entries after those of \(base); train it with kuoci train --base-model \(base)"
        case .notLearned(let path, let id, let piece):
            "\(path): entry \(id) (\(piece)) is not scored below all before it, as continued training makes it; "
                + "use --policy harmless"
        case .changesText(let path, let line, let changed, let texts):
            "\(path): line \(line) has none of the scripts of the new pieces and yet gets other ids than from the base, as do "
                + "\(changed) of \(texts) such texts; leave out the addition's foreign pieces"
        case .cannotProve(let path, let unreached, let broken):
            "\(path): no merge without harm was found for this base (\(unreached) new pieces are never reached, "
                + "\(broken) of its own no longer); use --policy append"
        case .padTokenExists(let path, let piece, let id):
            "\(path): entry \(id) is \(piece) already; leave --pad-token out or name another"
        case .tooMuchPadding(let path, let factor, let most):
            "\(path): padding it to a multiple of \(factor) would make more than \(most) entries; "
                + "give --pad-to-multiple a smaller number"
        case .nothingToProve(let paths):
            "\(paths.joined(separator: ", ")): no line is without the scripts of the new pieces, so that nothing is "
                + "proved; give --proof-corpus texts in the languages of the base"
        case .noText(let paths):
            "\(paths.joined(separator: ", ")): holds no text to choose pieces by; give --corpus texts, one a line"
        case .wordTooLong(let path, let line, let characters, let most):
            "\(path): line \(line) has \(characters) characters, more than the \(most) of a word; give one word a line"
        }
    }
}
