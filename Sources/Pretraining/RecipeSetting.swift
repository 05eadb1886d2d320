public import FileIO

/// One value of a recipe or of a command line, as text, and where it was said.
public struct RecipeSetting: Sendable, Equatable {
    /// Where a value was said.
    public enum Origin: Sendable, Equatable {
        case file(path: String, line: Int)
        /// An option with its dashes.
        case option(String)
    }

    /// Such as `learning_rate`.
    public var key: String
    /// The stage it is for; nil is all of them.
    public var stage: TrainingStage?
    /// One, or any number where the key takes a list.
    public var values: [String]
    public var origin: Origin

    public init(key: String, stage: TrainingStage? = nil, values: [String], origin: Origin) {
        self.key = key
        self.stage = stage
        self.values = values
        self.origin = origin
    }
}

extension RecipeSetting {
    /// `KEY=VALUE` or `STAGE.KEY=VALUE`, as `--set` takes it; nil for a text that is neither.
    ///
    /// A hyphen in the key counts as an underscore, so that an option's name serves too.
    public init?(assignment: String) {
        guard let equals = assignment.firstIndex(of: "="), equals > assignment.startIndex else { return nil }
        let value = String(assignment[assignment.index(after: equals)...])
        let name = String(assignment[..<equals]).replacing("-", with: "_")
        guard let (stage, key) = Self.split(name) else { return nil }
        self.init(key: key, stage: stage, values: [value], origin: .option(Self.assignmentOption))
    }

    static let assignmentOption = "--set"

    /// The stage and the key of `learning_rate` or `lora.learning_rate`; nil where there is no such stage.
    static func split(_ name: String) -> (stage: TrainingStage?, key: String)? {
        guard let dot = name.firstIndex(of: ".") else { return (nil, name) }
        guard let stage = TrainingStage(rawValue: String(name[..<dot])) else { return nil }
        return (stage, String(name[name.index(after: dot)...]))
    }
}

/// What is wrong with a recipe, as facts.
public enum RecipeError: BadDataError, Equatable {
    case unknownRecipe(name: String, known: [String])
    case notYAML(path: String, line: Int?, reason: String)
    case unknownKey(path: String, line: Int, key: String, nearest: String)
    case badValue(path: String, line: Int, key: String, value: String, need: String)
    /// `key` was said at `line` and at another line before it, to the same stage.
    case repeatedKey(path: String, line: Int, key: String, other: String)
}

extension RecipeError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownRecipe(let name, let known):
            "\(name): no such file, and no recipe of this name; there are \(known.joined(separator: ", "))"
        case .notYAML(let path, let line, let reason):
            "\(path)\(line.map { ", line \($0)" } ?? ""): \(reason); write KEY: VALUE lines in YAML"
        case .unknownKey(let path, let line, let key, let nearest):
            "\(path), line \(line): there is no key \(key); did you mean \(nearest)?"
        case .badValue(let path, let line, let key, let value, let need):
            "\(path), line \(line): \(key) \(value): \(need)"
        case .repeatedKey(let path, let line, let key, let other):
            "\(path), line \(line): \(key) says again what \(other) has said; keep one of them"
        }
    }
}
