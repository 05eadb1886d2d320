import FileIO
public import OrderedJSON
public import Provenance
public import Safetensors

/// Writes a checkpoint directory in a stream; nothing appears under its name before it is whole.
///
/// Hand over the bytes of `tensors` one after another, in chunks that do not cross from one to the next, add the
/// files that go beside them, then `finish`. Dropped before that, it leaves nothing behind.
public struct CheckpointWriter: ~Copyable {
    /// The tensors in the order in which their bytes are due.
    public let tensors: [TensorPlan]
    private var output: OutputDirectory
    private let shards: [ShardPlan]
    /// Shards to be written after the current one.
    private var upcoming: [ShardPlan]
    private var current: SafetensorsWriter?

    /// - Parameter replacing: Whether an older directory of this name is replaced.
    /// - Throws: `FileError.alreadyExists`, other `FileError`s, `SafetensorsError.planMismatch`.
    public init(_ directory: String, shards: [ShardPlan], replacing: Bool) throws {
        let due = shards.filter { $0.source == nil && !$0.tensors.isEmpty }
        let tensors = due.flatMap { safetensorsOrder($0.tensors) }
        let output = try OutputDirectory(directory, replacing: replacing)
        try requireSpace(try byteCount(of: due), for: directory, at: output.stagingPath)
        for shard in shards {
            if let source = shard.source { try copyFile(from: source, to: output.path(of: shard.name)) }
        }
        self.shards = shards
        self.tensors = tensors
        self.output = output
        upcoming = due
        current = nil
    }

    /// One file, or several if the tensors are larger than `maximumShardSize` bytes.
    public init(
        _ directory: String, tensors: [TensorPlan], maximumShardSize: Int = ShardPlan.defaultMaximumSize,
        replacing: Bool
    ) throws {
        try self.init(
            directory, shards: try ShardPlan.shards(of: tensors, maximumSize: maximumShardSize), replacing: replacing)
    }

    public mutating func write(bytes: UnsafeRawBufferPointer) throws {
        if bytes.isEmpty { return }
        try advance()
        try current?.write(bytes: bytes)
    }

    public mutating func write(_ bytes: [UInt8]) throws {
        if bytes.isEmpty { return }
        try advance()
        try current?.write(bytes)
    }

    /// Finishes the current shard if it is full and begins the next.
    private mutating func advance() throws {
        while (current?.missing ?? 0) == 0 {
            if let full = current.take() { try full.finish() }
            guard !upcoming.isEmpty else {
                throw SafetensorsError.planMismatch(path: output.path, reason: "more bytes than planned")
            }
            let next = upcoming.removeFirst()
            current = try SafetensorsWriter(output.path(of: next.name), tensors: next.tensors)
        }
    }

    /// The temporary path of the directory itself.
    public var directory: String { output.stagingPath }

    /// The temporary path of a file in the directory; what stands there when the writer finishes is kept.
    public func path(of name: String) -> String {
        output.path(of: name)
    }

    /// Copies files of another directory by name.
    public func copy(_ names: [String], from directory: String) throws {
        for name in names { try copy("\(directory)/\(name)", as: name) }
    }

    /// Copies one file under a name of its own.
    public func copy(_ source: String, as name: String) throws {
        try copyFile(from: source, to: output.path(of: name))
    }

    /// Writes config, index and manifest, opens the result as any reader would, and gives the directory its name.
    ///
    /// - Parameter verify: Has a last look at the finished files; if it throws, nothing appears.
    public consuming func finish(
        config: JSONValue, manifest: Manifest? = nil, verify: (Checkpoint) throws -> Void = { _ in }
    ) throws {
        // Empty tensors need no bytes: their shards may never have begun.
        while (current?.missing ?? 0) == 0, current != nil || !upcoming.isEmpty {
            if let full = current.take() { try full.finish() }
            if upcoming.isEmpty { break }
            let next = upcoming.removeFirst()
            current = try SafetensorsWriter(output.path(of: next.name), tensors: next.tensors)
        }
        if let unfinished = current.take() { try unfinished.finish() }
        try writeDescription(of: shards, config: config, in: output)
        let checkpoint = try Checkpoint(directory: output.stagingPath)
        try verify(checkpoint)
        if var manifest {
            manifest.record(tensorHashes(in: checkpoint.shards))
            try manifest.write(to: output.stagingPath)
        }
        try output.commit()
    }
}
