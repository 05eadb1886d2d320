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

    /// Deletes what is there of them. What is still being written to them is lost.
    public static func deleteAll() {
        delete { _ in true }
    }

    /// As `deleteAll`, for some of them.
    static func delete(_ isMeant: (String) -> Bool) {
        lock.withLock {
            for path in paths.filter(isMeant) {
                try? FileManager.default.removeItem(atPath: path)
                paths.remove(path)
            }
        }
    }
}
