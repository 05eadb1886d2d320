import FileIO
import Foundation
package import OrderedJSON

/// A run's directory: who writes in it, and what the run was started with.
package final class RunDirectory {
    package let path: String
    package let checkpoints: CheckpointStore
    /// Whether the run was there before.
    package let isResumed: Bool
    private let lock: FileLock

    package static let descriptionName = "run.json"
    /// Everything that a run leaves, but the token caches, which a new one can use.
    static let artifacts = [
        descriptionName, Recipe.fileName, "kuoci.json", "log.jsonl", "timing.jsonl", "tensorboard", "checkpoints",
        "adapter", "model", "best",
    ]

    /// Takes the directory for one run.
    ///
    /// - Parameters:
    ///   - description: what decides the run's result; a resumed run must bring the same.
    ///   - resume: goes on with the run that is there; where none is, a new one starts.
    ///   - force: clears an older run away, its stages too.
    ///   - holdsCheckpoints: whether it is to have a directory for them.
    /// - Throws: `FileError.alreadyExists`, `PretrainingError.inUse`, `.resumeDiffers` or `.alreadyFinished`.
    package init(
        _ path: String, description: JSONValue, resume: Bool, force: Bool, holdsCheckpoints: Bool = true
    ) throws {
        self.path = path
        checkpoints = CheckpointStore(path + "/checkpoints")
        let manager = FileManager.default
        let holdsRun = Self.artifacts.contains { manager.fileExists(atPath: path + "/" + $0) }
        if holdsRun, !resume, !force { throw FileError.alreadyExists(path: path) }
        do {
            try manager.createDirectory(
                atPath: path + (holdsCheckpoints ? "/checkpoints" : ""), withIntermediateDirectories: true)
        } catch {
            throw FileError.unwritable(path: path, reason: error.localizedDescription)
        }
        // Checkpoints are durable only where their directories are.
        for entry in [path, checkpoints.directory] { syncDirectory(containing: entry) }
        guard let lock = try FileLock(path + "/.lock") else { throw PretrainingError.inUse(run: path) }
        self.lock = lock
        isResumed = resume && manager.fileExists(atPath: path + "/" + Self.descriptionName)
        if isResumed {
            try checkDescription(description)
        } else {
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

    private func clear() throws {
        let manager = FileManager.default
        let names = Self.artifacts.filter { $0 != "checkpoints" && manager.fileExists(atPath: path + "/" + $0) }
        for name in names + (try manager.contentsOfDirectory(atPath: path).filter(PretrainingPlan.isStage)) {
            try manager.removeItem(atPath: path + "/" + name)
        }
        guard manager.fileExists(atPath: checkpoints.directory) else { return }
        for name in try manager.contentsOfDirectory(atPath: checkpoints.directory) {
            try manager.removeItem(atPath: checkpoints.directory + "/" + name)
        }
    }

    private func checkDescription(_ description: JSONValue) throws {
        let file = path + "/" + Self.descriptionName
        guard let before = try? JSONValue(parsing: readFile(file)) else {
            throw TrainingDataError.damagedRun(path: file, reason: "is not JSON")
        }
        let found = differences(before, description)
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
    return ["\(place) was \(before.text(.line)), is \(after.text(.line))"]
}
