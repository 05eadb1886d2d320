import Foundation

/// The temporary files and directories that outputs are being written to in this process.
///
/// A program that is asked to end removes them, so that nothing half-written stays behind.
public enum TemporaryPaths {
    private static let lock = NSLock()
    private nonisolated(unsafe) static var paths: Set<String> = []

    static func add(_ path: String) {
        lock.withLock { _ = paths.insert(path) }
    }

    static func remove(_ path: String) {
        lock.withLock { _ = paths.remove(path) }
    }

    /// Removes what is there of a path by `removal`, and forgets it; `deleteAll` comes before both or after.
    static func remove(_ path: String, by removal: (String) -> Void) {
        lock.withLock {
            removal(path)
            paths.remove(path)
        }
    }

    /// Runs something that `deleteAll` must not come between; it may change which paths are temporary.
    static func undisturbed<Result>(_ body: (inout Set<String>) -> Result) -> Result {
        lock.withLock { body(&paths) }
    }

    /// Deletes what is there of them, for a process that is about to end: what is still being written to them is lost, and
    /// a thread that begins or ends an output from here on waits for that end.
    public static func deleteAll() {
        // Never unlocked, so that no output begins behind our back.
        lock.lock()
        delete(paths)
    }

    /// As `deleteAll`, for some of them, in a process that goes on.
    static func delete(_ isMeant: (String) -> Bool) {
        lock.withLock {
            let meant = paths.filter(isMeant)
            delete(meant)
            paths.subtract(meant)
        }
    }

    private static func delete(_ paths: Set<String>) {
        for path in paths {
            // Renamed first: a directory under its own name could be given another file while it is being emptied.
            let doomed = path + ".end"
            let isMoved = rename(path, doomed) == 0
            try? FileManager.default.removeItem(atPath: isMoved ? doomed : path)
        }
    }
}
