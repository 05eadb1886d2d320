import FileIO
import Foundation
import OrderedJSON
import Provenance

/// What directories hold that a report can show.
struct ReportSources {
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
    /// In the order of the paths: the first is what a report is about.
    private(set) var merges: [ReportedMerge] = []
    private(set) var manifests: [Written] = []
    private(set) var inputs: [Input] = []
    /// Directories whose content was taken, by their paths from the root.
    private var taken: Set<String> = []

    /// Directories of a run that hold no other thing to report.
    private static let passedOver: Set<String> = ["checkpoints", "tokens", "tensorboard", "best"]
    private static let depth = 3

    /// - Parameter mayBeEmpty: whether there is something to report about besides.
    init(_ directories: [String], mayBeEmpty: Bool = false) throws {
        for directory in directories { try look(in: directory, depth: Self.depth) }
        if runs.isEmpty, merges.isEmpty, !mayBeEmpty { throw ReportError.nothing(directories: directories) }
    }

    private mutating func look(in directory: String, depth: Int) throws {
        let names = try names(in: directory)
        // One that was named twice counts once.
        if taken.insert(pathFromRoot(directory)).inserted { try take(directory) }
        if depth == 0 { return }
        for name in names.sorted() where !name.hasPrefix(".") && !Self.passedOver.contains(name) {
            let path = directory + "/" + name
            if isDirectory(path) == true { try look(in: path, depth: depth - 1) }
        }
    }

    private func names(in directory: String) throws -> [String] {
        guard let isDirectory = isDirectory(directory) else { throw FileError.missing(path: directory) }
        guard isDirectory else { throw ReportError.notADirectory(path: directory) }
        guard access(directory, R_OK | X_OK) == 0 else {
            throw FileError.unreadable(path: directory, reason: lastErrorText())
        }
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw FileError.unreadable(path: directory, reason: error.localizedDescription)
        }
    }

    private mutating func take(_ directory: String) throws {
        if FileManager.default.fileExists(atPath: directory + "/log.jsonl") { runs.append(try RunLog(directory)) }
        guard let manifest = try readManifest(directory) else { return }
        manifests.append(
            Written(
                directory: directory,
                command: (manifest["command"]?.array ?? []).compactMap(\.string).joined(separator: " ")))
        let read = (manifest["inputs"]?.array ?? []).compactMap(Input.init)
        for input in read where !inputs.contains(input) { inputs.append(input) }
        if let merge = try ReportedMerge(directory) { merges.append(merge) }
    }
}

extension ReportSources.Input {
    init?(_ json: JSONValue) {
        guard let path = json["path"]?.string, let bytes = json["bytes"]?.int, let hash = json["sha256"]?.string else {
            return nil
        }
        self.init(path: path, bytes: bytes, hash: hash)
    }

    /// A file as it is now.
    init(contentsOf path: String) throws {
        let file = try MappedFile(path)
        self.init(path: path, bytes: file.count, hash: SHA256.hexDigest(of: file))
    }
}

/// What the kuoci.json of a directory says; nil where it has none.
func readManifest(_ directory: String) throws -> JSONValue? {
    let path = directory + "/" + Manifest.fileName
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    do {
        return try JSONValue(parsing: readFile(path))
    } catch let error as JSONError {
        throw ReportError.badManifest(path: path, reason: error.description)
    }
}

/// Nil where nothing is.
private func isDirectory(_ path: String) -> Bool? {
    var isDirectory: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) ? isDirectory.boolValue : nil
}

/// The same for all paths that lead to a directory.
private func pathFromRoot(_ path: String) -> String {
    guard let text = realpath(path, nil) else { return path }
    defer { free(text) }
    return String(cString: text)
}
