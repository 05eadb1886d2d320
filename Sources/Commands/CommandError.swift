import FileIO

/// What a command finds wrong in what it was given.
enum CommandError: BadDataError {
    case notAnID(text: String, line: Int)
    case tooLittleText(path: String, texts: Int)

    var description: String {
        switch self {
        case .notAnID(let text, let line):
            "line \(line): \"\(text)\" is not an id; give whole numbers, or pieces with --input-format piece"
        case .tooLittleText(let path, let texts):
            "\(path): \(texts) texts are too few to measure on some what was learned from the others; give more, one a line"
        }
    }
}
