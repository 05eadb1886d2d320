import Foundation

/// Which files are mapped where in this process.
///
/// The kernel tells a program that reads a mapped file past its end, because another shortened it, by SIGBUS and an address.
public enum MappedRanges {
    private static let lock = NSLock()
    private nonisolated(unsafe) static var paths: [Range<UInt>: String] = [:]

    static func add(_ base: UnsafeRawPointer, _ count: Int, _ path: String) {
        lock.withLock { paths[range(base, count)] = path }
    }

    static func remove(_ base: UnsafeRawPointer, _ count: Int) {
        lock.withLock { _ = paths.removeValue(forKey: range(base, count)) }
    }

    private static func range(_ base: UnsafeRawPointer, _ count: Int) -> Range<UInt> {
        UInt(bitPattern: base)..<UInt(bitPattern: base) + UInt(count)
    }

    /// The file that is mapped at an address, or nil.
    public static func path(at address: UInt) -> String? {
        lock.withLock { paths.first { $0.key.contains(address) }?.value }
    }
}
