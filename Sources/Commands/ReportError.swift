import FileIO

/// Directories and files that do not hold what a report needs.
enum ReportError: BadDataError, Equatable {
    case nothing(directories: [String])
    case notADirectory(path: String)
    case noTokenizer(directories: [String])
    case noBase(tokenizer: String)
    /// The file that a merge extended is not where its kuoci.json says.
    case baseMissing(tokenizer: String, base: String)
    /// What is there now is another file than the merge extended.
    case baseChanged(tokenizer: String, base: String)
    case baseLarger(base: String, entries: Int, tokenizer: String, extended: Int)
    case badLine(path: String, line: Int, reason: String)
    case badManifest(path: String, reason: String)

    var description: String {
        switch self {
        case .nothing(let directories):
            "\(directories.joined(separator: ", ")): holds neither a tokenizer of kuoci merge nor a run of kuoci pretrain; "
                + "name the directories that they wrote"
        case .notADirectory(let path): "\(path): is no directory; name the one that kuoci wrote"
        case .noTokenizer(let directories):
            "\(directories.joined(separator: ", ")): holds no tokenizer of kuoci merge that texts could be measured with; "
                + "give one with --tokenizer"
        case .noBase(let tokenizer): "\(tokenizer): does not say what it extends; give the base with --base"
        case .baseMissing(let tokenizer, let base):
            "\(tokenizer): extends \(base), which is not there as seen from this directory; give the base with --base"
        case .baseChanged(let tokenizer, let base):
            "\(tokenizer): extends \(base), which has changed since; give the base as it was with --base"
        case .baseLarger(let base, let entries, let tokenizer, let extended):
            "\(base): has \(entries) entries, more than the \(extended) of \(tokenizer), which is to extend it; "
                + "give the base with --base"
        case .badLine(let path, let line, let reason):
            "\(path): line \(line) is no event of a run: \(reason); remove the line, or leave out that run"
        case .badManifest(let path, let reason): "\(path): \(reason); give directories that kuoci wrote"
        }
    }
}
