import FileIO
import Foundation
package import OrderedJSON

/// Lines of strict JSON appended to a file, which a resumed run cuts back to where its checkpoint stood.
package final class TrainingLog {
    package let path: String
    /// Bytes in the file.
    package private(set) var length: Int
    private let handle: FileHandle

    /// Opens the file and cuts it to `length` bytes.
    ///
    /// - Throws: `TrainingDataError.damagedRun` if it is shorter.
    package init(_ path: String, length: Int) throws {
        self.path = path
        self.length = length
        let manager = FileManager.default
        if !manager.fileExists(atPath: path), !manager.createFile(atPath: path, contents: nil) {
            throw FileError.unwritable(path: path, reason: "cannot be created")
        }
        guard let handle = FileHandle(forUpdatingAtPath: path) else {
            throw FileError.unwritable(path: path, reason: "cannot be opened")
        }
        self.handle = handle
        let found = try handle.seekToEnd()
        guard found >= UInt64(length) else {
            throw TrainingDataError.damagedRun(
                path: path, reason: "has \(found) bytes where the checkpoint knew \(length)")
        }
        try handle.truncate(atOffset: UInt64(length))
        try handle.seekToEnd()
    }

    /// Appends one line.
    package func append(_ line: JSONValue) throws {
        let bytes = line.utf8(.line) + [0x0A]
        do {
            try handle.write(contentsOf: Data(bytes))
        } catch {
            throw FileError.unwritable(path: path, reason: error.localizedDescription)
        }
        length += bytes.count
    }

    /// Makes what was appended durable.
    package func synchronize() throws {
        try handle.synchronize()
    }
}
