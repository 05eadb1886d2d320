import FileIO
import Foundation
import OrderedJSON

/// What a run of `kuoci pretrain` wrote down, step by step.
struct RunLog {
    struct Step {
        var number: Int
        /// Bytes of text, and tokens that were predicted; none where the log does not say.
        var bytes: Int
        var targets: Int
        var loss: Double
        var learningRate: Double
        var gradientNorm: Double
    }

    struct Measure {
        var step: Int
        var set: String
        var bitsPerByte: Double
    }

    let directory: String
    /// What its kuoci.json says; nil where the run did not end.
    let manifest: JSONValue?
    private(set) var steps: [Step] = []
    private(set) var measures: [Measure] = []
    /// Median over the steps; nil without times.
    private(set) var tokensPerSecond: Double?
    private(set) var peakMemoryBytes: Int?
    /// Seconds of steps, by their numbers.
    private(set) var seconds: [Int: Double] = [:]

    /// The last part of the path: `2-lora`.
    var name: String { (directory as NSString).lastPathComponent }
    var lastStep: Int { max(steps.last?.number ?? 0, measures.last?.step ?? 0) }
    /// Floating-point operations that training on a token takes; nil where the run did not end.
    var operationsPerToken: Double? { manifest?["results"]?["operations_per_token"]?.double }

    /// The config.json of the model that was trained; nil where neither that nor the run's result is there.
    var modelConfig: String? {
        [manifest?["options"]?["model"]?.string, directory + "/model"].compactMap { $0 }.map { $0 + "/config.json" }
            .first { FileManager.default.fileExists(atPath: $0) }
    }

    /// - Throws: `FileError`, or `ReportError` for a line that is no JSON or counts what cannot be.
    init(_ directory: String) throws {
        self.directory = directory
        manifest = try readManifest(directory)
        try readSteps(directory + "/log.jsonl")
        let times = directory + "/timing.jsonl"
        if FileManager.default.fileExists(atPath: times) { try readTimes(times) }
    }

    private mutating func readSteps(_ path: String) throws {
        try forEachEvent(of: path) { event in
            guard let step = try event.count("step") else { return }
            switch event.json["event"]?.string {
            case "step":
                steps.append(
                    Step(
                        number: step, bytes: try event.count("bytes") ?? 0, targets: try event.count("targets") ?? 0,
                        loss: event.number("loss"), learningRate: event.number("learning_rate"),
                        gradientNorm: event.number("gradient_norm")))
            case "evaluation":
                measures.append(
                    Measure(
                        step: step, set: event.json["set"]?.string ?? "", bitsPerByte: event.number("bits_per_byte")))
            default: break
            }
        }
    }

    private mutating func readTimes(_ path: String) throws {
        var speeds: [Double] = []
        try forEachEvent(of: path) { event in
            if let speed = event.json["targets_per_second"]?.double { speeds.append(speed) }
            if let step = try event.count("step") { seconds[step] = event.json["seconds"]?.double }
            if let bytes = event.json["peak_memory_bytes"]?.int { peakMemoryBytes = max(peakMemoryBytes ?? 0, bytes) }
        }
        if !speeds.isEmpty { tokensPerSecond = speeds.sorted()[speeds.count / 2] }
    }
}

/// A line of a log.
private struct LogEvent {
    let path: String
    let line: Int
    let json: JSONValue

    /// More than a run does in any step, and so little that no log has the lines for a sum that overflows.
    private static let most = 1 << 40

    /// NaN where the log has no number.
    func number(_ key: String) -> Double { json[key]?.double ?? .nan }

    /// Nil where the log says nothing.
    func count(_ key: String) throws -> Int? {
        guard let value = json[key], !value.isNull else { return nil }
        guard let count = value.int, (0...Self.most).contains(count) else {
            throw ReportError.badLine(
                path: path, line: line, reason: "\"\(key)\" is no whole number from 0 to \(Self.most)")
        }
        return count
    }
}

/// Calls `body` with each line of a log. What follows the last line feed may be half a line, of a run that was killed or
/// that still goes on: if it is no JSON, it is left out.
private func forEachEvent(of path: String, _ body: (LogEvent) throws -> Void) throws {
    try MappedFile(path).withUnsafeBytes { bytes in
        let lines = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let json: JSONValue
            do {
                json = try JSONValue(parsing: Array(line))
            } catch let error as JSONError {
                if index == lines.count - 1 { return }
                throw ReportError.badLine(path: path, line: index + 1, reason: error.description)
            }
            try body(LogEvent(path: path, line: index + 1, json: json))
        }
    }
}
