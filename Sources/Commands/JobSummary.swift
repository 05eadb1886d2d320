import FileIO
import Foundation
import OrderedJSON

/// What the main job left in its directory, step by step; a step that has not run leaves its part empty.
struct JobSummary: Equatable {
    /// One tokenizer on the held-out texts.
    struct Fertility: Equatable {
        var entries: Int
        /// By the text's language.
        var tokensPerCharacter: [String: Double]
    }

    /// One state of the model on the held-out texts.
    struct Quality: Equatable {
        var state: String
        /// By the text's language; nil where the state has not been reached.
        var bitsPerByte: [String: Double]?
    }

    struct Step: Equatable {
        var name: String
        var seconds: Double
    }

    struct Result: Equatable {
        var path: String
        var meaning: String
    }

    /// The languages of the held-out texts, in the order of the columns.
    static let languages = [(key: "zh", title: "Chinese"), (key: "en", title: "English")]

    /// The base tokenizer, then the merged one.
    var fertilities: [Fertility]
    var qualities: [Quality]
    var steps: [Step]
    var results: [Result]
}

/// A file of the main job that does not hold what its step writes.
enum SummaryError: BadDataError, Equatable {
    case nothing(directory: String)
    case notJSON(path: String, reason: String)
    case missing(path: String, what: String)
    case badTime(path: String, line: Int)

    var description: String {
        switch self {
        case .nothing(let directory): "\(directory): holds nothing of the main job; run make first"
        case .notJSON(let path, let reason): "\(path): \(reason); remove the file and run make again"
        case .missing(let path, let what): "\(path): has no \(what); remove the file and run make again"
        case .badTime(let path, let line):
            "\(path): line \(line) is not a step's name, a tab and seconds; remove the file and run make again"
        }
    }
}
