import FileIO
import Foundation
import OrderedJSON
import Provenance

/// What directories hold that a report can show.
struct ReportSources {
    struct Merge {
        var path: String
        /// What the merge extended, if it is still there.
        var base: String?
    }

    struct Written {
        var directory: String
        var command: String
    }

    struct Input: Hashable {
        var path: String
        var bytes: Int
        var hash: String
    }

    /// In the order of the paths: stages have names that say theirs.
    private(set) var runs: [RunLog] = []
    private(set) var merge: Merge?
    private(set) var manifests: [Written] = []
    private(set) var inputs: [Input] = []

    /// Directories of a run that hold no other thing to report.
    private static let passedOver: Set<String> = ["checkpoints", "tokens", "tensorboard", "best"]
    private static let depth = 3

    init() {}

    init(_ directories: [String]) throws {
        for directory in directories { try look(in: directory, depth: Self.depth) }
        if runs.isEmpty, merge == nil { throw ReportError.nothing(directories: directories) }
    }

    private mutating func look(in directory: String, depth: Int) throws {
        try take(directory)
        if depth == 0 { return }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw FileError.unreadable(path: directory, reason: error.localizedDescription)
        }
        for name in names.sorted() where !name.hasPrefix(".") && !Self.passedOver.contains(name) {
            let path = directory + "/" + name
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory), isDirectory.boolValue else {
                continue
            }
            try look(in: path, depth: depth - 1)
        }
    }

    private mutating func take(_ directory: String) throws {
        func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: directory + "/" + name) }
        if has("log.jsonl") { runs.append(try RunLog(directory)) }
        guard has(Manifest.fileName) else { return }
        let path = directory + "/" + Manifest.fileName
        let manifest: JSONValue
        do {
            manifest = try JSONValue(parsing: readFile(path))
        } catch let error as JSONError {
            throw ReportError.badManifest(path: path, reason: error.description)
        }
        manifests.append(
            Written(
                directory: directory,
                command: (manifest["command"]?.array ?? []).compactMap(\.string).joined(separator: " ")))
        let read = (manifest["inputs"]?.array ?? []).compactMap(Input.init)
        for input in read where !inputs.contains(input) { inputs.append(input) }
        if merge == nil, manifest["options"]?["policy"] != nil, has("tokenizer.model") {
            let base = read.first.map(\.path).flatMap { FileManager.default.fileExists(atPath: $0) ? $0 : nil }
            merge = Merge(path: directory, base: base)
        }
    }
}

extension ReportSources.Input {
    init?(_ json: JSONValue) {
        guard let path = json["path"]?.string, let bytes = json["bytes"]?.int, let hash = json["sha256"]?.string else {
            return nil
        }
        self.init(path: path, bytes: bytes, hash: hash)
    }
}
