import FileIO
import Foundation
import OrderedJSON
import Provenance

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
    private(set) var steps: [Step] = []
    private(set) var measures: [Measure] = []
    /// Median over the steps; nil without times.
    private(set) var tokensPerSecond: Double?
    private(set) var peakMemoryBytes: Int?
    /// Seconds of steps, by their numbers.
    private(set) var seconds: [Int: Double] = [:]
    /// Floating-point operations that training on a token takes; nil where the run did not end.
    private(set) var operationsPerToken: Double?

    /// The last part of the path: `2-lora`.
    var name: String { (directory as NSString).lastPathComponent }
    var lastStep: Int { max(steps.last?.number ?? 0, measures.last?.step ?? 0) }

    /// - Throws: `FileError`, or `ReportError` for a line that is no JSON.
    init(_ directory: String) throws {
        self.directory = directory
        try forEachEvent(of: directory + "/log.jsonl") { event in
            guard let step = event["step"]?.int else { return }
            func number(_ key: String) -> Double { event[key]?.double ?? .nan }
            switch event["event"]?.string {
            case "step":
                steps.append(
                    Step(
                        number: step, bytes: event["bytes"]?.int ?? 0, targets: event["targets"]?.int ?? 0,
                        loss: number("loss"), learningRate: number("learning_rate"),
                        gradientNorm: number("gradient_norm")))
            case "evaluation":
                measures.append(
                    Measure(step: step, set: event["set"]?.string ?? "", bitsPerByte: number("bits_per_byte")))
            default: break
            }
        }
        operationsPerToken = try manifestResult("operations_per_token")?.double
        let times = directory + "/timing.jsonl"
        guard FileManager.default.fileExists(atPath: times) else { return }
        var speeds: [Double] = []
        try forEachEvent(of: times) { event in
            if let speed = event["targets_per_second"]?.double { speeds.append(speed) }
            if let step = event["step"]?.int { seconds[step] = event["seconds"]?.double }
            if let bytes = event["peak_memory_bytes"]?.int { peakMemoryBytes = max(peakMemoryBytes ?? 0, bytes) }
        }
        if !speeds.isEmpty { tokensPerSecond = speeds.sorted()[speeds.count / 2] }
    }

    /// What the run's kuoci.json says of its results; nil where there is none.
    private func manifestResult(_ key: String) throws -> JSONValue? {
        let path = directory + "/" + Manifest.fileName
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        do {
            return try JSONValue(parsing: readFile(path))["results"]?[key]
        } catch let error as JSONError {
            throw ReportError.badManifest(path: path, reason: error.description)
        }
    }
}

private func forEachEvent(of path: String, _ body: (JSONValue) -> Void) throws {
    var number = 0
    try forEachLine(of: path) { line in
        number += 1
        do {
            body(try JSONValue(parsing: Array(line)))
        } catch let error as JSONError {
            throw ReportError.badLine(path: path, line: number, reason: error.description)
        }
    }
}
