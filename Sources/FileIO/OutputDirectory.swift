import Foundation
import Glibc

/// A directory that appears under its name only when it is whole: filled as a hidden temporary sibling, synced, renamed.
///
/// Dropped without `commit()`, it leaves nothing behind and an older directory of that name as it was. What a killed
/// process left, the next one of that name clears away.
public struct OutputDirectory: ~Copyable {
    /// Where the finished directory will be.
    public let path: String
    /// Where files are written meanwhile.
    public let stagingPath: String
    private let replacesExisting: Bool
    private let lock: OutputLock

    /// - Throws: `FileError.alreadyExists` if `path` exists and `replacing` is false, `FileError.busy` if another process
    ///   is writing it, `FileError.noName` for `.`, `..` and the like; before anything is written.
    public init(_ path: String, replacing: Bool) throws(FileError) {
        try requireName(path)
        let (directory, name) = splitPath(path)
        let target = "\(directory)/\(name)"
        if entryExists(target), !replacing { throw .alreadyExists(path: path) }
        try makeDirectories(directory)
        let lock = try OutputLock(for: target)
        if lock.isHeld { clearLeftovers(of: target) }
        // Somebody may have finished it, or it may have come back, since the first look.
        if entryExists(target), !replacing { throw .alreadyExists(path: path) }
        let staging = temporarySibling(of: target)
        TemporaryPaths.add(staging)
        guard mkdir(staging, 0o777) == 0 else {
            let reason = lastErrorText()
            TemporaryPaths.remove(staging)
            throw .unwritable(path: path, reason: reason)
        }
        self.path = target
        stagingPath = staging
        replacesExisting = replacing
        self.lock = lock
    }

    deinit {
        // After an exchange this is the older directory.
        TemporaryPaths.remove(stagingPath) { try? FileManager.default.removeItem(atPath: $0) }
    }

    /// The temporary path of a file in the directory.
    public func path(of name: String) -> String {
        "\(stagingPath)/\(name)"
    }

    /// Syncs everything and gives the directory its name, in one step where the file system can; an older one is removed last.
    ///
    /// - Throws: `FileError.alreadyExists` if something has the name by now and is not to be replaced.
    public consuming func commit() throws(FileError) {
        try syncDirectory(stagingPath)
        try place()
        try syncDirectory(splitPath(path).directory)
    }

    private func place() throws(FileError) {
        let exists = entryExists(path)
        if exists, !replacesExisting { throw .alreadyExists(path: path) }
        if renameEntry(stagingPath, path, exists ? .exchanges : .keepsExisting) == 0 { return }
        if errno == EEXIST { throw .alreadyExists(path: path) }
        guard lacksRenameRules(errno) else { throw .unwritable(path: path, reason: lastErrorText()) }
        try placeByPlainRenames(over: exists)
    }

    /// For file systems that cannot exchange: killed between the renames, it leaves the older directory under a hidden
    /// name, from which the next process to write here brings it back. One that is asked to end does so before or after.
    private func placeByPlainRenames(over exists: Bool) throws(FileError) {
        let (aside, staging, path) = (stagingPath + setAsideSuffix, stagingPath, path)
        let failure = TemporaryPaths.undisturbed { paths -> FileError? in
            if exists, rename(path, aside) != 0 { return .unwritable(path: path, reason: lastErrorText()) }
            if rename(staging, path) != 0 {
                let reason = lastErrorText()
                if exists { rename(aside, path) }
                return .unwritable(path: path, reason: reason)
            }
            if exists { paths.insert(aside) }
            return nil
        }
        if let failure { throw failure }
        guard exists else { return }
        TemporaryPaths.remove(aside) { try? FileManager.default.removeItem(atPath: $0) }
    }
}

private let setAsideSuffix = ".old"

/// Removes what a killed process left beside an output, once it is locked; an older directory that was set aside comes
/// back if nothing took its place.
private func clearLeftovers(of path: String) {
    let (directory, prefix) = splitPath(temporaryPrefix(of: path))
    let names = ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    for name in names where name.hasPrefix(prefix) && name != prefix + "lock" {
        let leftover = "\(directory)/\(name)"
        if name.hasSuffix(setAsideSuffix), renameEntry(leftover, path, .keepsExisting) == 0 { continue }
        if name.hasSuffix(setAsideSuffix), !entryExists(path), rename(leftover, path) == 0 { continue }
        try? FileManager.default.removeItem(atPath: leftover)
    }
}

/// Makes the directory that a file is to be written in, and what is missing above it, each durably.
package func makeDirectory(containing path: String) throws(FileError) {
    try makeDirectories(splitPath(path).directory)
}

/// Makes a directory and what is missing above it, each durably.
private func makeDirectories(_ path: String) throws(FileError) {
    if access(path, F_OK) == 0 { return }
    try makeDirectories(splitPath(path).directory)
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .unwritable(path: path, reason: lastErrorText()) }
    try syncDirectory(splitPath(path).directory)
}
