import Dispatch
import Foundation

/// The processors that this process may use.
public var availableProcessors: Int {
    ProcessInfo.processInfo.activeProcessorCount
}

/// The contiguous ranges that split `count` items into `parts`, as equal as possible, the larger ones first.
public func partitions(of count: Int, into parts: Int) -> [Range<Int>] {
    precondition(count >= 0 && parts > 0, "a split needs a positive number of parts")
    let (size, remainder) = count.quotientAndRemainder(dividingBy: parts)
    var start = 0
    return (0..<parts).map { part in
        let end = start + size + (part < remainder ? 1 : 0)
        defer { start = end }
        return start..<end
    }
}

/// Calls `body` once for each index below `count`, on up to `threads` cores, and returns the results in order.
///
/// The result does not depend on the number of cores. Of several errors, the one with the lowest index is thrown.
public func concurrentMap<T: Sendable>(
    count: Int, threads: Int = availableProcessors, _ body: @Sendable (Int) throws -> T
) throws -> [T] {
    if threads <= 1 || count <= 1 { return try (0..<count).map(body) }
    return try concurrentValues(count: count, threads: threads) { index in Result { try body(index) } }
        .map { try $0.get() }
}

/// The same for what cannot fail.
public func concurrentValues<T: Sendable>(
    count: Int, threads: Int = availableProcessors, _ body: @Sendable (Int) -> T
) -> [T] {
    if threads <= 1 || count <= 1 { return (0..<count).map(body) }
    let lanes = min(threads, count)
    let results = Slots<T>(count: count)
    let next = Counter()
    // Indices are handed out one at a time, so that uneven ones balance; each result has its own slot.
    DispatchQueue.concurrentPerform(iterations: lanes) { _ in
        while let index = next.take(below: count) {
            results.set(index, body(index))
        }
    }
    return results.values()
}

/// One slot for each result; each is written by one thread only, before all are read.
private final class Slots<T: Sendable>: @unchecked Sendable {
    private let storage: UnsafeMutableBufferPointer<T?>

    init(count: Int) {
        storage = .allocate(capacity: count)
        storage.initialize(repeating: nil)
    }

    deinit {
        storage.deinitialize()
        storage.deallocate()
    }

    func set(_ index: Int, _ value: T) {
        storage[index] = value
    }

    func values() -> [T] {
        storage.map { slot in
            guard let slot else { preconditionFailure("a result was never computed") }
            return slot
        }
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var value = 0

    func take(below limit: Int) -> Int? {
        lock.withLock {
            guard value < limit else { return nil }
            defer { value += 1 }
            return value
        }
    }
}
