import FileIO

/// What a command finds wrong in what it was given.
enum CommandError: BadDataError {
    case notAnID(text: String, line: Int)

    var description: String {
        switch self {
        case .notAnID(let text, let line):
            "line \(line): \"\(text)\" is not an id; give whole numbers, or pieces with --input-format piece"
        }
    }
}
