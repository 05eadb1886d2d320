import Foundation

/// The repository's root.
public let repositoryRoot: String = {
    var url = URL(fileURLWithPath: #filePath)
    for _ in 0..<3 { url.deleteLastPathComponent() }
    return url.path
}()

/// A file committed under Tests/Fixtures.
public func fixture(_ name: String) -> String {
    repositoryRoot + "/Tests/Fixtures/" + name
}

/// A file of the shared test data beside the repository, or nil, said aloud, where it is absent.
public func sharedData(_ name: String) -> String? {
    let path = repositoryRoot + "/../shared/data/" + name
    if FileManager.default.fileExists(atPath: path) { return path }
    print("SKIPPED: no shared test data \(name) beside the repository")
    return nil
}

/// Runs `body` with the path of a new directory, which is removed afterwards.
public func withTemporaryDirectory<R>(_ body: (String) throws -> R) throws -> R {
    let path = NSTemporaryDirectory() + "/kuoci-tests-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
}

/// Writes files, each with its text, into a fresh directory.
@discardableResult
public func withTemporaryFiles<R>(_ files: [String: String], _ body: (String) throws -> R) throws -> R {
    try withTemporaryDirectory { directory in
        for (name, text) in files {
            let path = directory + "/" + name
            let parent = (path as NSString).deletingLastPathComponent
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
            try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        }
        return try body(directory)
    }
}
