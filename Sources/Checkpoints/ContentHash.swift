import FileIO
import OrderedCollections
import OrderedJSON
public import Partitioning
import Provenance
public import Safetensors

/// A tensor without its numbers: what it is called, and the hash of its bytes.
public struct TensorHash: Sendable, Equatable {
    public let plan: TensorPlan
    /// SHA-256 of the bytes, 64 hexadecimal digits.
    public let digest: String

    public init(_ plan: TensorPlan, digest: String) {
        self.plan = plan
        self.digest = digest
    }

    /// Name, type, shape and hash, as `contentHash` takes them in.
    fileprivate var line: String {
        let shape = plan.shape.map(String.init).joined(separator: ",")
        return "\(plan.name)\0\(plan.type.rawValue)\0\(shape)\0\(digest)\n"
    }
}

extension Checkpoint {
    /// A SHA-256 of the tensors' names, types, shapes and bytes that does not depend on how they are sharded.
    public var contentHash: String {
        contentHashOfTensors(in: shards)
    }
}

/// The SHA-256 of one line per tensor, by name: name, type, shape and the SHA-256 of its bytes.
public func contentHashOfTensors(in files: [SafetensorsFile]) -> String {
    contentHash(of: tensorHashes(in: files))
}

/// As `contentHashOfTensors`, of hashes that are known.
public func contentHash(of hashes: [TensorHash]) -> String {
    let whole = SHA256()
    for hash in sorted(hashes) { whole.update(Array(hash.line.utf8)) }
    return whole.hexDigest()
}

/// The hash of each tensor, file by file; a few megabytes of each are in memory at a time.
public func tensorHashes(in files: [SafetensorsFile], threads: Int = availableProcessors) -> [TensorHash] {
    let tensors = files.flatMap { file in file.tensors.map { (file, $0) } }
    return concurrentValues(count: tensors.count, threads: threads) { tensorHash(of: tensors[$0].1, in: tensors[$0].0) }
}

func tensorHash(of tensor: TensorInfo, in file: SafetensorsFile) -> TensorHash {
    let hash = SHA256()
    file.forEachChunk(of: tensor) { hash.update($0) }
    return TensorHash(TensorPlan(tensor), digest: hash.hexDigest())
}

extension Manifest {
    /// Takes down what the tensors hash to, each and, where that is known of all, together.
    mutating func record(_ hashes: [TensorHash], areAll: Bool = true) {
        results["tensors_sha256"] = areAll ? .string(contentHash(of: hashes)) : .null
        results["tensors"] = .object(
            OrderedDictionary(
                sorted(hashes).map { ($0.plan.name, .string($0.digest)) }, uniquingKeysWith: { first, _ in first }))
    }
}

private func sorted(_ hashes: [TensorHash]) -> [TensorHash] {
    hashes.sorted { $0.plan.name.utf8.lexicographicallyPrecedes($1.plan.name.utf8) }
}
