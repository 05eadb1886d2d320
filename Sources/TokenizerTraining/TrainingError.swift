public import FileIO

/// Why a vocabulary cannot be trained.
public enum TrainingError: BadDataError, Equatable {
    case noSentences(paths: [String], skippedLong: Int, limit: Int)
    case noCharacters(paths: [String])
    case reservedCharacter(paths: [String])
    case tooFrequent(paths: [String])
    case tooMuchText(characters: Int)
    case alphabetTooLarge(vocabularySize: Int, needed: Int)
    case tooFewMerges(vocabularySize: Int, possible: Int)
    case tooFewNewPieces(wanted: Int, possible: Int)
    case tooFewPiecesForCharacters(wanted: Int, needed: Int)
    case badBase(path: String, reason: String)
    case badSpecification(flag: String, reason: String)
    case badSymbol(piece: String, reason: String)
    case corpusTooLarge(characters: Int)
    case sentenceTooLong(characters: Int)
    case otherCounts(path: String)
    case malformedLine(path: String, line: Int, reason: String)

    public var description: String {
        switch self {
        case .noSentences(let paths, let skippedLong, let limit):
            "\(paths.joined(separator: ", ")): no line can be used for training"
                + (skippedLong > 0
                    ? " (\(skippedLong) are longer than \(limit) bytes); raise --max-sentence-length"
                    : "; give a text with one sentence or paragraph a line")
        case .noCharacters(let paths):
            "\(paths.joined(separator: ", ")): no character is left after normalization; check the text's encoding"
        case .tooFrequent(let paths):
            "\(paths.joined(separator: ", ")): the frequencies add up to more than 64 bits hold; divide them all"
        case .tooMuchText(let characters):
            "the text has \(characters) characters in distinct words where 1073741823 are the most; "
                + "sample it with --input-sentence-size"
        case .reservedCharacter(let paths):
            "\(paths.joined(separator: ", ")): normalization gives U+2585, which stands for unknown characters; "
                + "change the normalization rules"
        case .alphabetTooLarge(let size, let needed):
            "--vocab-size \(size) is smaller than the alphabet: \(needed) entries are needed for the special pieces and "
                + "required characters; raise it to at least that or lower --character-coverage"
        case .tooFewMerges(let size, let possible):
            "--vocab-size \(size) is more than the corpus can give; set it to \(possible) or less, or give more text"
        case .tooFewNewPieces(let wanted, let possible):
            "the corpus gives only \(possible) pieces that the base lacks where \(wanted) are needed; "
                + "give more text or ask for fewer"
        case .tooFewPiecesForCharacters(let wanted, let needed):
            "\(needed) characters of the text are new to the base where \(wanted) new pieces are asked for; "
                + "raise --new-pieces or lower --character-coverage"
        case .badBase(let path, let reason): "\(path): \(reason)"
        case .badSpecification(let flag, let reason): "--\(flag): \(reason)"
        case .badSymbol(let piece, let reason): "the symbol \"\(piece)\" \(reason)"
        case .corpusTooLarge(let characters):
            "the corpus has \(characters) characters, more than the 2147483647 that unigram training can number; take a "
                + "sample with --input-sentence-size"
        case .sentenceTooLong(let characters):
            "a sentence of \(characters) characters is too long for the sums of unigram training; cut it into lines or "
                + "lower --max-sentence-length"
        case .otherCounts(let path):
            "\(path): these counts were made with other flags or for another kind of model; count and train with the "
                + "same model type, normalization, special pieces, delimiter, whitespace and split flags"
        case .malformedLine(let path, let line, let reason): "\(path): line \(line) \(reason)"
        }
    }
}
