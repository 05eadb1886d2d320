import FileIO
import Foundation
import OrderedJSON
package import Torch

/// Where a run stands: with the weights and the optimizer's state, all that a resumed run needs.
///
/// Order and dropout need nothing: both follow from the seed and the step.
package struct RunPosition: Sendable, Equatable {
    /// Optimizer steps done.
    package var step = 0
    /// Whether what is due after that step (an evaluation, with its log lines) is done.
    package var isEvaluated = false
    /// Bytes of log.jsonl that belong to it.
    package var logBytes = 0
    /// Bytes of the TensorBoard event file.
    package var eventBytes = 0
    /// Targets trained on so far.
    package var targets = 0
    /// The evaluation with the fewest bits per byte so far.
    package var best: BestEvaluation?
    /// Evaluations since then.
    package var evaluationsSinceBest = 0
    /// nil but in fp16.
    package var lossScale: LossScale?
}

/// A run's checkpoints, each a directory whose manifest was written last.
package struct CheckpointStore: Sendable {
    package let directory: String
    /// As many are kept, the newest.
    package static let keptCount = 2
    static let manifestName = "manifest.json"
    static let format = "kuoci checkpoint 2"
    /// The bytes that a file can still grow by there; nil where nobody knows.
    private let freeBytes: @Sendable (String) -> Int?

    package init(_ directory: String, freeBytes: @escaping @Sendable (String) -> Int? = FileIO.freeBytes(at:)) {
        self.directory = directory
        self.freeBytes = freeBytes
    }

    package func path(step: Int) -> String {
        let digits = String(step)
        return directory + "/step-" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// - Throws: `PretrainingError.noRoom` where the disk cannot take `bytes` and what little comes with them.
    package func checkRoom(bytes: Int, for what: String) throws(PretrainingError) {
        let (need, overflow) = bytes.addingReportingOverflow(1 << 20)
        guard let free = freeBytes(directory), overflow || free < need else { return }
        throw .noRoom(path: directory, what: what, bytes: bytes, free: free, newest: steps().last.map(path(step:)))
    }

    /// Writes a checkpoint, then removes all but the newest `keptCount`.
    ///
    /// - Parameters:
    ///   - bytes: the size that its files will have together; without room for them nothing is begun.
    ///   - write: writes the state's files into the directory that it is given.
    @discardableResult
    package func save(_ position: RunPosition, bytes: Int, write: (String) throws -> Void) throws -> String {
        let path = path(step: position.step)
        try put(path, position, bytes: bytes, write: write)
        try rotate(after: position.step)
        return path
    }

    /// Where the state of the best evaluation is kept, beside the newest ones.
    package var bestPath: String { directory + "/best" }

    /// Keeps a state as the best one, in place of an older one.
    package func saveBest(_ position: RunPosition, bytes: Int, write: (String) throws -> Void) throws {
        try put(bestPath, position, bytes: bytes, write: write)
    }

    private func put(_ path: String, _ position: RunPosition, bytes: Int, write: (String) throws -> Void) throws {
        try checkRoom(bytes: bytes, for: "the state of step \(position.step)")
        let output = try OutputDirectory(path, replacing: true)
        try write(output.stagingPath)
        let names = try FileManager.default.contentsOfDirectory(atPath: output.stagingPath).sorted()
        let files = try names.map { name -> JSONValue in
            let file = try MappedFile(output.path(of: name))
            return [
                "name": .string(name), "bytes": .integer(file.count),
                "sha256": .string(file.withUnsafeBytes { SHA256.hexDigest(of: $0) }),
            ]
        }
        let manifest: JSONValue = ["format": .string(Self.format), "position": position.json, "files": .array(files)]
        try writeFile(output.path(of: Self.manifestName), manifest.utf8(.pretty) + [0x0A])
        try output.commit()
    }

    /// The newest whole checkpoint, or nil where there is none at all; `skipped` is told of each damaged one that is passed
    /// over.
    ///
    /// - Throws: `TrainingDataError.noWholeCheckpoint` where all are damaged.
    package func newest(
        skipped: (TrainingDataError) -> Void
    ) throws(TrainingDataError) -> (path: String, position: RunPosition)? {
        var damaged: [TrainingDataError] = []
        for step in steps().reversed() {
            let path = path(step: step)
            do {
                let position = try Self.verify(path, step: step)
                for error in damaged { skipped(error) }
                return (path, position)
            } catch let error as TrainingDataError {
                damaged.append(error)
            } catch {
                damaged.append(.damagedCheckpoint(path: path, reason: "\(error)"))
            }
        }
        if damaged.isEmpty { return nil }
        throw .noWholeCheckpoint(directory: directory, damaged: damaged)
    }

    /// The steps of the checkpoints that are there, ascending.
    package func steps() -> [Int] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("step-"), let step = Int(name.dropFirst(5)), path(step: step).hasSuffix("/" + name)
            else { return nil }
            return step
        }.sorted()
    }

    /// Removes what is older than the newest few, and also what is newer than `step`: a run that came back to where it is
    /// passed that over as damaged.
    ///
    /// Renamed first, so that a half-deleted one is never taken for whole.
    private func rotate(after step: Int) throws {
        let kept = steps().filter { $0 <= step }.suffix(Self.keptCount)
        for step in steps() where !kept.contains(step) {
            let trash = "\(directory)/.trash-\(step)"
            try? FileManager.default.removeItem(atPath: trash)
            try FileManager.default.moveItem(atPath: path(step: step), toPath: trash)
            try FileManager.default.removeItem(atPath: trash)
        }
    }

    /// Checks every file against the manifest.
    static func verify(_ path: String, step: Int) throws -> RunPosition {
        func damaged(_ reason: String) -> TrainingDataError { .damagedCheckpoint(path: path, reason: reason) }
        guard let bytes = try? readFile(path + "/" + manifestName) else { throw damaged("it has no \(manifestName)") }
        guard let manifest = try? JSONValue(parsing: bytes), manifest["format"]?.string == format,
            let position = manifest["position"].flatMap(RunPosition.init), position.step == step,
            let files = manifest["files"]?.array
        else { throw damaged("its \(manifestName) is not one of this version") }
        for entry in files {
            guard let name = entry["name"]?.string, !name.contains("/"), let size = entry["bytes"]?.int,
                let digest = entry["sha256"]?.string
            else { throw damaged("its \(manifestName) is not one of this version") }
            guard let file = try? MappedFile(path + "/" + name) else { throw damaged("\(name) is missing") }
            guard file.count == size else { throw damaged("\(name) has \(file.count) bytes, not \(size)") }
            guard file.withUnsafeBytes({ SHA256.hexDigest(of: $0) }) == digest else {
                throw damaged("\(name) does not have its SHA-256")
            }
        }
        return position
    }
}

extension RunPosition {
    var json: JSONValue {
        var value: JSONValue = [
            "step": .integer(step), "is_evaluated": .bool(isEvaluated), "log_bytes": .integer(logBytes),
            "event_bytes": .integer(eventBytes), "targets": .integer(targets), "best": best?.json ?? .null,
            "evaluations_since_best": .integer(evaluationsSinceBest),
        ]
        if let lossScale { value["loss_scale"] = lossScale.json }
        return value
    }

    init?(_ json: JSONValue) {
        guard let step = json["step"]?.int, let isEvaluated = json["is_evaluated"]?.bool,
            let logBytes = json["log_bytes"]?.int, let eventBytes = json["event_bytes"]?.int,
            let targets = json["targets"]?.int, let evaluations = json["evaluations_since_best"]?.int,
            min(step, logBytes, eventBytes, targets, evaluations) >= 0
        else { return nil }
        self.init(
            step: step, isEvaluated: isEvaluated, logBytes: logBytes, eventBytes: eventBytes, targets: targets,
            best: json["best"].flatMap(BestEvaluation.init), evaluationsSinceBest: evaluations,
            lossScale: json["loss_scale"].flatMap(LossScale.init))
    }
}

extension LossScale {
    var json: JSONValue { ["value": .double(value), "good_steps": .integer(goodSteps)] }

    init?(_ json: JSONValue) {
        guard let value = json["value"]?.double, value.isFinite, value >= 1, let goodSteps = json["good_steps"]?.int,
            goodSteps >= 0
        else { return nil }
        self.init(value: value, goodSteps: goodSteps)
    }
}
