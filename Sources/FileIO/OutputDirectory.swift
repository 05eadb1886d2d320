import Foundation
import Glibc

/// A directory that appears under its name only when it is whole: filled as a hidden temporary sibling, synced, renamed.
///
/// Dropped without `commit()`, it leaves nothing behind and an older directory of that name as it was.
public struct OutputDirectory: ~Copyable {
    /// Where the finished directory will be.
    public let path: String
    /// Where files are written meanwhile.
    public let stagingPath: String
    private let replacesExisting: Bool
    private var isCommitted = false

    /// - Throws: `FileError.alreadyExists` if `path` exists and `replacing` is false, before anything is written.
    public init(_ path: String, replacing: Bool) throws(FileError) {
        let (directory, name) = splitPath(path)
        self.path = "\(directory)/\(name)"
        replacesExisting = replacing
        stagingPath = temporarySibling(of: path)
        let manager = FileManager.default
        if manager.fileExists(atPath: path), !replacing { throw .alreadyExists(path: path) }
        do {
            if manager.fileExists(atPath: stagingPath) { try manager.removeItem(atPath: stagingPath) }
            try manager.createDirectory(atPath: stagingPath, withIntermediateDirectories: true)
        } catch {
            throw .unwritable(path: path, reason: "\(error.localizedDescription)")
        }
        TemporaryPaths.add(stagingPath)
    }

    deinit {
        if !isCommitted { try? FileManager.default.removeItem(atPath: stagingPath) }
        TemporaryPaths.remove(stagingPath)
    }

    /// The temporary path of a file in the directory.
    public func path(of name: String) -> String {
        "\(stagingPath)/\(name)"
    }

    /// Syncs everything and gives the directory its name; an older one is moved aside first and removed last.
    public consuming func commit() throws(FileError) {
        syncDirectory(containing: stagingPath + "/.")
        let aside = temporarySibling(of: path) + ".old"
        let hasOld = replacesExisting && FileManager.default.fileExists(atPath: path)
        if hasOld, rename(path, aside) != 0 { throw .unwritable(path: path, reason: lastErrorText()) }
        if rename(stagingPath, path) != 0 {
            let reason = lastErrorText()
            if hasOld { rename(aside, path) }
            throw .unwritable(path: path, reason: reason)
        }
        isCommitted = true
        syncDirectory(containing: path)
        if hasOld { try? FileManager.default.removeItem(atPath: aside) }
    }
}
