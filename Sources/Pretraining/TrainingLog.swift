import FileIO
import Foundation
package import OrderedJSON

/// Lines of strict JSON appended to a file, which a resumed run cuts back to where its checkpoint stood.
package final class TrainingLog {
    private var file: GrowingFile

    package var path: String { file.path }
    /// Bytes in the file.
    package var length: Int { file.length }

    /// Opens the file and cuts it to `length` bytes.
    ///
    /// - Throws: `TrainingDataError.damagedRun` if it is shorter.
    package init(_ path: String, length: Int) throws {
        var file = try GrowingFile(path)
        guard file.length >= length else {
            throw TrainingDataError.damagedRun(
                path: path, reason: "has \(file.length) bytes where the checkpoint knew \(length)")
        }
        try file.cut(to: length)
        self.file = file
    }

    /// Opens the file and cuts it after the last of its first lines whose `step` is at most `step`.
    package init(_ path: String, throughStep step: Int) throws {
        var file = try GrowingFile(path)
        var length = 0
        for line in try readFile(path).split(separator: 0x0A, omittingEmptySubsequences: false).dropLast() {
            guard let value = try? JSONValue(parsing: line)["step"]?.int, value <= step else { break }
            length += line.count + 1
        }
        try file.cut(to: length)
        self.file = file
    }

    /// Appends one line.
    package func append(_ line: JSONValue) throws {
        try file.append(line.utf8(.line) + [0x0A])
    }

    /// Makes what was appended durable.
    package func synchronize() throws {
        try file.synchronize()
    }
}
