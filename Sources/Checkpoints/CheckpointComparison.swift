import OrderedCollections
public import OrderedJSON
public import Partitioning
import Safetensors

/// What two checkpoints have in common and what not, tensor by tensor, however each of them is cut into files.
public struct CheckpointComparison: Sendable {
    /// Tensors that both have, in the order of their names.
    public let tensors: [TensorComparison]
    /// Names of tensors that only the new checkpoint has, and that only the old one has.
    public let added: [String]
    public let missing: [String]
    /// Keys of config.json with other values than expected, in the order of their names.
    public let config: [ConfigDifference]

    public struct ConfigDifference: Sendable, Equatable {
        public let key: String
        /// nil where the key is absent.
        public let expected: JSONValue?
        public let found: JSONValue?
    }

    /// - Parameters:
    ///   - keptRows: The rows of the input embedding and the LM head that are to be the same in both; nil for all.
    ///   - config: The config.json that the new checkpoint is to have; nil for the old one's.
    public init(
        _ old: Checkpoint, _ new: Checkpoint, keptRows: [RowRun]? = nil, config: JSONValue? = nil,
        threads: Int = availableProcessors, progress: ProgressHandler = { _ in }
    ) throws {
        let names = old.tensors.map(\.name).filter { new[$0] != nil }.sorted { isBefore($0, $1) }
        let pairs = try names.map { name in
            StoredPair(
                old: (try old.shard(of: name), try old.tensor(name)),
                new: (try new.shard(of: name), try new.tensor(name)))
        }
        var results: [TensorComparison] = []
        // Some at a time, so that progress can be told.
        for first in stride(from: 0, to: pairs.count, by: 8 * max(1, threads)) {
            progress(ProgressUpdate(stage: "comparing tensors", completed: first, total: pairs.count))
            let batch = pairs[first..<min(first + 8 * max(1, threads), pairs.count)]
            results += concurrentValues(count: batch.count, threads: threads) { index in
                let pair = batch[first + index]
                let isResized = [TensorNames.embedding, TensorNames.head].contains(pair.old.tensor.name)
                return pair.compare(runs: isResized ? keptRows : nil)
            }
        }
        progress(ProgressUpdate(stage: "comparing tensors", completed: pairs.count, total: pairs.count))
        tensors = results
        added = new.tensors.map(\.name).filter { old[$0] == nil }.sorted { isBefore($0, $1) }
        missing = old.tensors.map(\.name).filter { new[$0] == nil }.sorted { isBefore($0, $1) }
        self.config = differences(config ?? old.config.json, new.config.json)
    }

    public var changed: [TensorComparison] { tensors.filter { !$0.isSame } }

    /// Whether nothing is other than it was to be.
    public var isSame: Bool { changed.isEmpty && added.isEmpty && missing.isEmpty && config.isEmpty }
}

private func isBefore(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

/// The order of keys means nothing, nor does the spelling of a number.
private func differences(_ expected: JSONValue, _ found: JSONValue) -> [CheckpointComparison.ConfigDifference] {
    let (left, right) = (expected.object ?? [:], found.object ?? [:])
    return Set(left.keys).union(right.keys).sorted { isBefore($0, $1) }.compactMap { key in
        if let one = left[key], let other = right[key], areEqual(one, other) { return nil }
        return CheckpointComparison.ConfigDifference(key: key, expected: left[key], found: right[key])
    }
}

private func areEqual(_ left: JSONValue, _ right: JSONValue) -> Bool {
    if left == right { return true }
    if let one = left.array, let other = right.array {
        return one.count == other.count && zip(one, other).allSatisfy(areEqual)
    }
    if let one = left.object, let other = right.object {
        return one.count == other.count
            && one.allSatisfy { key, value in other[key].map { areEqual(value, $0) } ?? false }
    }
    if let one = left.double, let other = right.double { return one == other }
    return false
}
