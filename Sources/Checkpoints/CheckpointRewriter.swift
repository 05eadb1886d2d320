import FileIO
public import OrderedJSON
public import Partitioning
public import Provenance
import Safetensors

/// Makes a changed copy of a checkpoint in one pass over its weights; nothing appears under its name before it is whole.
///
/// Files that do not change share their blocks with the old ones where the file system can do that. All bytes are read
/// once: hashed, written to their new place, and read back. Where links are asked for, files that do not change are the
/// old ones and are not even read, so that there are no hashes of them.
/// Then hand over what is new in the changed tensors, and `finish`. Dropped before that, it leaves nothing behind.
public struct CheckpointRewriter: ~Copyable {
    public let source: Checkpoint
    private var output: OutputDirectory
    private let shards: [ShardPlan]
    private let moves: [String: [ByteMove]]
    /// Where each tensor is to be in the new files, by name.
    private let places: [String: Place]
    /// The files that are written, by name.
    private let outputs: [String: PlacedOutputFile]
    /// The old files that are links now, by path.
    private let linked: Set<String>
    private var fileHashes: [String: String] = [:]
    private var sourceHashes: [String: String] = [:]

    private struct Place {
        var shard: String
        var info: TensorInfo
    }

    /// - Parameters:
    ///   - shards: The new files. One with a `source` is a copy of that file of the old checkpoint.
    ///   - moves: What is kept of the tensors that change, by name; all others are kept as they are.
    ///   - linking: Whether files that do not change may be hard links to the old ones.
    ///   - replacing: Whether an older directory of this name is replaced.
    /// - Throws: `FileError.alreadyExists`, `.noSpace` and others, `SafetensorsError.planMismatch`.
    public init(
        _ directory: String, from source: Checkpoint, shards: [ShardPlan], moves: [String: [ByteMove]], linking: Bool,
        replacing: Bool
    ) throws {
        let output = try OutputDirectory(directory, replacing: replacing)
        var places: [String: Place] = [:]
        var linked: Set<String> = []
        var written: [(name: String, header: [UInt8], byteCount: Int)] = []
        for shard in shards {
            if let path = shard.source, let file = source.shards.first(where: { $0.path == path }) {
                for info in file.tensors { places[info.name] = Place(shard: shard.name, info: info) }
                if linking, try linkFile(from: path, to: output.path(of: shard.name)) {
                    linked.insert(path)
                } else if try !cloneFile(from: path, to: output.path(of: shard.name)) {
                    written.append((shard.name, [], file.byteCount))
                }
            } else {
                let layout = try SafetensorsLayout(shard.tensors, path: output.path(of: shard.name))
                for info in layout.tensors { places[info.name] = Place(shard: shard.name, info: info) }
                written.append((shard.name, layout.header, layout.fileBytes))
            }
        }
        try requireSpace(written.reduce(0) { $0 + $1.byteCount }, for: directory, at: output.stagingPath)
        var outputs: [String: PlacedOutputFile] = [:]
        for file in written {
            let placed = try PlacedOutputFile(output.path(of: file.name), byteCount: file.byteCount)
            try placed.write(file.header, at: 0)
            outputs[file.name] = placed
        }
        self.source = source
        self.output = output
        self.shards = shards
        self.moves = moves
        self.places = places
        self.outputs = outputs
        self.linked = linked
    }

    /// Weight files that are hard links to the old ones.
    public var linkedFiles: Int { linked.count }

    /// Bytes that are written, in files that are not shared with the old checkpoint.
    public var writtenBytes: Int { outputs.values.reduce(0) { $0 + $1.byteCount } }

    /// The temporary path of a file in the directory; what stands there when the rewriter finishes is kept.
    public func path(of name: String) -> String {
        output.path(of: name)
    }

    /// Copies one file under a name of its own.
    public func copy(_ source: String, as name: String) throws {
        try copyFile(from: source, to: output.path(of: name))
    }

    /// Reads the old weights and writes what is kept of them.
    ///
    /// - Throws: `CheckpointError.notAsWritten` if anything reads back otherwise than it was written.
    public mutating func copyWeights(progress: ProgressHandler = { _ in }) throws {
        let read = source.shards.filter { !linked.contains($0.path) }
        let pass = WeightPass(read.map { WeightSource(file: $0, copies: copies(of: $0)) })
        try pass.run(progress: progress)
        fileHashes = pass.fileHashes
        sourceHashes = pass.tensorHashes
    }

    /// Where the bytes of an old file go.
    private func copies(of file: SafetensorsFile) -> [ByteCopy] {
        if let shard = shards.first(where: { $0.source == file.path }) {
            return outputs[shard.name].map { [ByteCopy(source: 0..<file.byteCount, output: $0, offset: 0)] } ?? []
        }
        return file.tensors.flatMap { tensor -> [ByteCopy] in
            guard let place = places[tensor.name], let output = outputs[place.shard] else { return [] }
            let start = tensor.byteRange.lowerBound
            return (moves[tensor.name] ?? [ByteMove(source: 0..<tensor.byteCount, destination: 0)]).map { move in
                ByteCopy(
                    source: start + move.source.lowerBound..<start + move.source.upperBound, output: output,
                    offset: place.info.byteRange.lowerBound + move.destination)
            }
        }
    }

    /// Writes new bytes into a tensor that changes, counted from its first.
    public func write(_ bytes: [UInt8], of tensor: String, at offset: Int) throws {
        guard let place = places[tensor], let output = outputs[place.shard] else {
            throw CheckpointError.noTensor(directory: self.output.path, tensor: tensor)
        }
        precondition(offset + bytes.count <= place.info.byteCount, "bytes beyond the tensor")
        try output.write(bytes, at: place.info.byteRange.lowerBound + offset)
    }

    /// Writes config, index and manifest, opens the result as any reader would, and gives the directory its name.
    ///
    /// The old chat template goes along if no other was copied.
    ///
    /// - Parameter verify: Has a last look at the finished files; if it throws, nothing appears.
    /// - Throws: `CheckpointError.notAsWritten` if a tensor is not where it should be.
    public consuming func finish(
        config: JSONValue, manifest: Manifest? = nil, verify: (Checkpoint) throws -> Void = { _ in }
    ) throws {
        for name in try source.chatTemplateFiles(besideTokenizerIn: output.stagingPath) {
            try copy("\(source.directory)/\(name)", as: name)
        }
        for shard in shards { try outputs[shard.name]?.commit() }
        try writeDescription(of: shards, config: config, in: output)
        let result = try Checkpoint(directory: output.stagingPath)
        try checkPlaces(result)
        try verify(result)
        if var manifest {
            manifest.knownHashes = fileHashes
            manifest.unreadInputs = linked
            manifest.record(try hashes(result), areAll: linked.isEmpty)
            try manifest.write(to: output.stagingPath)
        }
        try output.commit()
    }

    /// What the copies were compared with was where the finished files' own headers say that the tensors are.
    private func checkPlaces(_ result: Checkpoint) throws {
        for tensor in result.tensors where places[tensor.name]?.info != tensor {
            throw CheckpointError.notAsWritten(path: output.path, tensor: tensor.name)
        }
        guard result.tensors.count == places.count else {
            throw CheckpointError.notAsWritten(path: output.path, tensor: "the number of tensors")
        }
    }

    /// Those of the old tensors where nothing changed; changed ones are read, and linked ones left out.
    private func hashes(_ result: Checkpoint) throws -> [TensorHash] {
        let linkedNames = Set(shards.filter { linked.contains($0.source ?? "") }.map(\.name))
        return try result.tensors.compactMap { tensor in
            if let place = places[tensor.name], linkedNames.contains(place.shard) { return nil }
            if moves[tensor.name] == nil, let digest = sourceHashes[tensor.name] {
                return TensorHash(TensorPlan(tensor), digest: digest)
            }
            return tensorHash(of: tensor, in: try result.shard(of: tensor.name))
        }
    }
}

/// Bytes of a tensor that move to a place in the tensor that takes its place, both counted from the first.
public struct ByteMove: Sendable, Equatable {
    public var source: Range<Int>
    public var destination: Int

    public init(source: Range<Int>, destination: Int) {
        self.source = source
        self.destination = destination
    }
}
