/// Takes items one after the other, has runs of them transformed on all cores, and merges what comes of the runs in order.
///
/// Memory holds one batch of items. The result does not depend on the number of cores as long as merging the values of
/// two runs gives the value of both together.
///
/// - Parameters:
///   - batchBytes: how much to take before the cores start on it.
///   - next: the next item and its size; nil at the end.
public func reduceInBatches<Item: Sendable, Value: Sendable>(
    into initial: Value, batchBytes: Int = 1 << 24, threads: Int = availableProcessors,
    next: () throws -> (item: Item, bytes: Int)?, transform: @Sendable (ArraySlice<Item>) throws -> Value,
    merge: (inout Value, Value) -> Void
) throws -> Value {
    var result = initial
    var hasEnded = false
    while !hasEnded {
        var batch: [Item] = []
        var bytes = 0
        while bytes < batchBytes {
            guard let (item, size) = try next() else {
                hasEnded = true
                break
            }
            batch.append(item)
            bytes += size
        }
        let items = batch
        // Several runs for each core, so that uneven ones balance.
        let runs = partitions(of: items.count, into: max(1, min(items.count, threads * 8)))
        for value in try concurrentMap(count: runs.count, threads: threads, { try transform(items[runs[$0]]) }) {
            merge(&result, value)
        }
    }
    return result
}
