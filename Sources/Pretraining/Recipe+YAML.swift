import FileIO
import Foundation
import Yams

extension Recipe {
    /// More than any recipe is long; YAML that is no recipe is refused before it is parsed.
    private static let largestSize = 1 << 20

    /// A file if there is one of this path, else the recipe of this name that comes with the program.
    ///
    /// - Throws: `RecipeError`, which names file, line and key, or `FileError`.
    public init(named name: String) throws {
        if FileManager.default.fileExists(atPath: name) {
            try self.init(yaml: readFile(name), path: name)
        } else if let shipped = Self.shipped[name] {
            try self.init(yaml: shipped, path: name)
        } else {
            throw RecipeError.unknownRecipe(name: name, known: Self.shipped.keys.sorted())
        }
    }

    /// Reads KEY: VALUE pairs; a stage's name as key holds those that are for this stage alone.
    init(yaml: [UInt8], path: String) throws {
        guard yaml.count <= Self.largestSize, let text = String(validating: yaml, as: UTF8.self) else {
            throw RecipeError.notYAML(path: path, line: nil, reason: "is no UTF-8 text of at most 1 MiB")
        }
        var reader = RecipeReader(path: path)
        switch try parse(text, path: path) {
        case nil: break
        case .mapping(let mapping)?: try reader.read(mapping, stage: nil)
        case let node?:
            throw RecipeError.notYAML(path: path, line: node.mark?.line, reason: "holds no keys")
        }
        self.init(settings: reader.settings)
    }

    /// YAML with the same settings, those for one stage under its name.
    public var yaml: String {
        get throws {
            var pairs = settings.filter { $0.stage == nil }.map { (Node($0.key), $0.node) }
            for stage in TrainingStage.allCases {
                let own = settings.filter { $0.stage == stage }
                if !own.isEmpty { pairs.append((Node(stage.rawValue), Node(own.map { (Node($0.key), $0.node) }))) }
            }
            return try serialize(node: Node(pairs), width: -1, allowUnicode: true)
        }
    }
}

private func parse(_ text: String, path: String) throws(RecipeError) -> Node? {
    do {
        return try compose(yaml: text)
    } catch let error as YamlError {
        throw .notYAML(path: path, line: error.line, reason: "is no YAML (\(error.reason))")
    } catch {
        throw .notYAML(path: path, line: nil, reason: "is no YAML")
    }
}

/// Turns YAML nodes into settings.
private struct RecipeReader {
    let path: String
    var settings: [RecipeSetting] = []

    mutating func read(_ mapping: Node.Mapping, stage: TrainingStage?) throws(RecipeError) {
        for (keyNode, node) in mapping {
            let line = keyNode.mark?.line ?? 0
            guard let name = keyNode.scalar?.string else {
                throw .notYAML(path: path, line: line, reason: "has a key that is no text")
            }
            if stage == nil, let inner = TrainingStage(rawValue: name) {
                if node.isNull { continue }
                guard case .mapping(let own) = node else {
                    throw .badValue(
                        path: path, line: line, key: name, value: node.scalar?.string ?? "(a list)",
                        need: "is a stage; write the KEY: VALUE lines for it under its name")
                }
                try read(own, stage: inner)
                continue
            }
            // A dotted key is for a stage too: lora.learning_rate.
            guard let (dotted, key) = RecipeSetting.split(name), dotted == nil || stage == nil else {
                throw .unknownKey(path: path, line: line, key: name, nearest: RecipeKey.nearest(to: name))
            }
            let origin = RecipeSetting.Origin.file(path: path, line: line)
            let known = RecipeKey.named(key)
            let takesList = key == RecipeKey.stagesName || known?.isList == true
            // As if it were not said: no text of these letters.
            if node.isNull, known != nil || key == RecipeKey.stagesName { continue }
            settings.append(
                RecipeSetting(
                    key: key, stage: stage ?? dotted, values: try texts(node, of: name, line, takesList: takesList),
                    origin: origin))
        }
    }

    /// The scalars of a value: itself, those of a list, or NAME=VALUE for those under names.
    private func texts(_ node: Node, of key: String, _ line: Int, takesList: Bool) throws(RecipeError) -> [String] {
        switch node {
        case .scalar(let scalar): return [scalar.string]
        case .sequence(let sequence) where takesList:
            var result: [String] = []
            for item in sequence {
                guard let text = item.scalar?.string else { break }
                result.append(text)
            }
            if result.count == sequence.count { return result }
        case .mapping(let mapping) where takesList:
            var result: [String] = []
            for (name, values) in mapping {
                guard let name = name.scalar?.string else { break }
                result += try texts(values, of: key, line, takesList: true).map { "\(name)=\($0)" }
            }
            return result
        default: break
        }
        throw .badValue(
            path: path, line: node.mark?.line ?? line, key: key, value: "(a structure)",
            need: takesList ? "must be a list of texts" : "must be one value")
    }
}

extension RecipeSetting {
    fileprivate var node: Node {
        let takesList = key == RecipeKey.stagesName || RecipeKey.named(key)?.isList == true
        if takesList { return Node(values.map { Node($0) }) }
        let text = Node(values.first ?? "", .implicit, .plain)
        return text.isNull ? Node(values.first ?? "", .implicit, .singleQuoted) : Node(values.first ?? "")
    }
}

extension Node {
    /// Whether it is YAML's way to say nothing.
    fileprivate var isNull: Bool {
        guard case .scalar(let scalar) = self, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }
}

extension YamlError {
    fileprivate var line: Int? {
        switch self {
        case .scanner(_, _, let mark, _), .parser(_, _, let mark, _), .composer(_, _, let mark, _): mark.line
        case .duplicatedKeysInMapping(_, let context): context.mark.line
        default: nil
        }
    }

    fileprivate var reason: String {
        switch self {
        case .scanner(_, let problem, _, _), .parser(_, let problem, _, _), .composer(_, let problem, _, _),
            .reader(let problem, _, _, _):
            problem
        case .duplicatedKeysInMapping(let duplicates, _): "\(duplicates.joined(separator: ", ")) comes twice"
        default: "it cannot be read"
        }
    }
}
