import FileIO
import Foundation
package import OrderedJSON

/// A run's directory: who writes in it, and what the run was started with.
package final class RunDirectory {
    package let path: String
    package let checkpoints: CheckpointStore
    /// Whether the run was there before.
    package let isResumed: Bool
    /// Whether the directory itself was not.
    private let isNew: Bool
    private let lock: FileLock

    package static let descriptionName = "run.json"
    private static let lockName = ".lock"
    /// Everything that a run leaves, but the token caches, which a new one can use.
    static let artifacts = [
        descriptionName, Recipe.fileName, "kuoci.json", "log.jsonl", "timing.jsonl", "tensorboard", "checkpoints",
        "adapter", "model", "best",
    ]

    /// Takes the directory for one run.
    ///
    /// - Parameters:
    ///   - description: what decides the run's result; a resumed run must bring the same.
    ///   - inputs: what the run reads, none of which may be cleared away.
    ///   - contents: files whose SHA-256 the description holds, for messages.
    ///   - resume: goes on with the run that is there; where none is, a new one starts.
    ///   - force: clears an older run away, its stages too.
    ///   - holdsCheckpoints: whether it is to have a directory for them.
    /// - Throws: `FileError.alreadyExists`, `.notAnOutput`, `TrainingDataError.damagedRun`, `PretrainingError.badOption`,
    ///   `.inUse`, `.resumeDiffers` or `.alreadyFinished`.
    package init(
        _ path: String, description: JSONValue, inputs: [String] = [], contents: [(digest: String, path: String)] = [],
        resume: Bool, force: Bool, holdsCheckpoints: Bool = true
    ) throws {
        self.path = path
        checkpoints = CheckpointStore(path + "/checkpoints")
        let manager = FileManager.default
        let found = Self.found(in: path)
        if !found.isEmpty, !resume, !force { throw FileError.alreadyExists(path: path) }
        try Self.checkInputs(inputs, found, path)
        if force { try Self.checkIsRun(found, path) }
        isNew = !manager.fileExists(atPath: path)
        try makeDirectory(path)
        if holdsCheckpoints { try makeDirectory(checkpoints.directory) }
        // Checkpoints are durable only where their directories are.
        for entry in [path, checkpoints.directory] { syncDirectory(containing: entry) }
        guard let lock = try FileLock(path + "/" + Self.lockName) else { throw PretrainingError.inUse(run: path) }
        self.lock = lock
        isResumed = resume && manager.fileExists(atPath: path + "/" + Self.descriptionName)
        if isResumed {
            try checkDescription(description, contents)
        } else {
            if resume { try Self.checkNothingIsLost(in: path) }
            try clear()
            try writeFile(path + "/" + Self.descriptionName, description.utf8(.pretty) + [0x0A])
        }
        removeLeftovers()
    }

    /// Removes what a killed run left half done: nobody but the holder of the lock writes here.
    private func removeLeftovers() {
        let manager = FileManager.default
        for directory in [path, checkpoints.directory] {
            for name in (try? manager.contentsOfDirectory(atPath: directory)) ?? []
            where name.hasPrefix(".trash-") || name.hasPrefix(".") && name.contains(".tmp-") {
                try? manager.removeItem(atPath: directory + "/" + name)
            }
        }
    }

    /// What is there of a run, or of the stages of one.
    private static func found(in path: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { artifacts.contains($0) || PretrainingPlan.isStage($0) }.sorted()
    }

    /// Whatever only has the name of something that a run leaves is not cleared away.
    ///
    /// - Throws: `FileError.notAnOutput` where no run has been.
    private static func checkIsRun(_ names: [String], _ path: String) throws {
        let marks = [descriptionName, "kuoci.json", lockName]
        let isRun = marks.contains { FileManager.default.fileExists(atPath: path + "/" + $0) }
        if !names.isEmpty, !isRun { throw FileError.notAnOutput(path: path, mark: descriptionName) }
    }

    /// - Throws: `PretrainingError.badOption` if an input lies in what clearing would remove.
    private static func checkInputs(_ inputs: [String], _ names: [String], _ path: String) throws {
        for name in names {
            do {
                try requireInputs(inputs, outside: path + "/" + name)
            } catch FileError.holdsInput(_, let input) {
                throw PretrainingError.badOption(
                    name: "--out", value: path, need: "holds \(input), which is read; choose another --out")
            }
        }
    }

    /// A run that is to go on is never taken for none at all, whatever became of its description.
    private static func checkNothingIsLost(in path: String) throws {
        let isEmpty = (try? FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints").isEmpty) ?? true
        let names = found(in: path).filter { $0 != "checkpoints" || !isEmpty }
        if names.isEmpty { return }
        throw TrainingDataError.damagedRun(
            path: path, reason: "has \(names.joined(separator: ", ")), but no \(descriptionName) to go on by")
    }

    private func clear() throws {
        let manager = FileManager.default
        let names = Self.found(in: path).filter { $0 != "checkpoints" }
        // The description first: what a kill leaves is then no run.
        for name in names.filter({ $0 == Self.descriptionName }) + names.filter({ $0 != Self.descriptionName }) {
            try manager.removeItem(atPath: path + "/" + name)
        }
        guard manager.fileExists(atPath: checkpoints.directory) else { return }
        for name in try manager.contentsOfDirectory(atPath: checkpoints.directory) {
            try manager.removeItem(atPath: checkpoints.directory + "/" + name)
        }
    }

    /// Gives the directory up where the run could not begin: what it made is removed, but for caches that another can use.
    ///
    /// A run that was there before, and one of whose stages has begun, stay.
    func abandon() {
        let manager = FileManager.default
        func contents(_ directory: String) -> [String] { (try? manager.contentsOfDirectory(atPath: directory)) ?? [] }
        let names = Self.found(in: path)
        if isResumed || names.contains(where: PretrainingPlan.isStage) || !checkpoints.steps().isEmpty { return }
        // The description last: without it, what is left would be nobody's.
        for name in names.filter({ $0 != Self.descriptionName }) + [Self.descriptionName] {
            try? manager.removeItem(atPath: path + "/" + name)
        }
        let caches = path + "/tokens"
        if contents(caches).allSatisfy({ $0.hasPrefix(".") }) { try? manager.removeItem(atPath: caches) }
        guard isNew, contents(path) == [Self.lockName] else { return }
        try? manager.removeItem(atPath: path)
    }

    private func checkDescription(_ description: JSONValue, _ contents: [(digest: String, path: String)]) throws {
        let file = path + "/" + Self.descriptionName
        guard let before = try? JSONValue(parsing: readFile(file)) else {
            throw TrainingDataError.damagedRun(path: file, reason: "is not JSON")
        }
        let found = differences(before, description).map { difference in
            let file = contents.first { difference.hasSuffix("is \"\($0.digest)\"") }
            return file.map { "\(difference), which is that of \($0.path)" } ?? difference
        }
        if !found.isEmpty { throw PretrainingError.resumeDiffers(run: path, differences: found) }
        if FileManager.default.fileExists(atPath: path + "/kuoci.json") {
            throw PretrainingError.alreadyFinished(run: path)
        }
    }
}

/// Where two JSON values differ, leaf by leaf: `options.seed was 1, is 2`.
package func differences(_ before: JSONValue, _ after: JSONValue, at place: String = "") -> [String] {
    if before == after { return [] }
    if let old = before.object, let new = after.object {
        let keys = old.map { $0.key } + new.map { $0.key }.filter { before[$0] == nil }
        return keys.flatMap { key in
            differences(before[key] ?? .null, after[key] ?? .null, at: place.isEmpty ? key : place + "." + key)
        }
    }
    if let old = before.array, let new = after.array, old.count == new.count {
        return zip(old, new).enumerated().flatMap { differences($1.0, $1.1, at: "\(place)[\($0)]") }
    }
    // A run of an older version did not say what this one says.
    if before == .null, after.object != nil { return ["\(place) was not recorded"] }
    return ["\(place) was \(before.text(.line)), is \(after.text(.line))"]
}

/// Makes a directory with those above it.
///
/// - Throws: `FileError.unwritable`.
func makeDirectory(_ path: String) throws(FileError) {
    var isDirectory: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), !isDirectory.boolValue {
        throw .unwritable(path: path, reason: "it is a file where a directory is needed")
    }
    try makeDirectory(containing: path + "/.")
}
