import FileIO
import Partitioning
import Safetensors

/// Bytes of a weight file that go to a place in a new file.
struct ByteCopy: Sendable {
    /// Counted from the old file's start.
    let source: Range<Int>
    let output: PlacedOutputFile
    /// Counted from the new file's start.
    let offset: Int
}

/// A weight file that is about to be read, and where its bytes go.
struct WeightSource: Sendable {
    let file: SafetensorsFile
    /// Disjoint and by their place in the old file; bytes that none of them covers are hashed and left.
    let copies: [ByteCopy]
}

/// Reads weight files once, front to back, at any size within a few megabytes of memory: while one piece is hashed, for
/// its file and for its tensor, and copied and read back from its copy, the next one is read.
final class WeightPass: @unchecked Sendable {
    /// The SHA-256 of each file, by path.
    private(set) var fileHashes: [String: String] = [:]
    /// The SHA-256 of each tensor's bytes, by name.
    private(set) var tensorHashes: [String: String] = [:]

    private let sources: [WeightSource]
    private let pieces: [Piece]
    /// The piece of an even number is read into the first, that of an odd number into the second.
    private let buffers: [UnsafeMutableRawBufferPointer]
    // Each of these belongs to one lane.
    private var input: InputFile?
    private var fileHash: SHA256? = nil
    private var tensorHash: SHA256? = nil

    private static let pieceSize = 1 << 23

    /// Bytes of one file that lie in one tensor, or in the header.
    private struct Piece {
        var source: Int
        var tensor: TensorInfo?
        var range: Range<Int>
    }

    init(_ sources: [WeightSource]) {
        self.sources = sources
        pieces = sources.indices.flatMap { index in
            let file = sources[index].file
            let dataStart = file.tensors.first?.byteRange.lowerBound ?? file.byteCount
            let sections = [(nil, 0..<dataStart)] + file.tensors.map { ($0 as TensorInfo?, $0.byteRange) }
            return sections.flatMap { tensor, range in
                split(range, size: Self.pieceSize).map { Piece(source: index, tensor: tensor, range: $0) }
            }
        }
        buffers = (0..<2).map { _ in .allocate(byteCount: Self.pieceSize, alignment: 4096) }
    }

    deinit {
        for buffer in buffers { buffer.deallocate() }
    }

    /// - Throws: `FileError`, `CheckpointError.notAsWritten`.
    func run(progress: ProgressHandler) throws {
        guard !pieces.isEmpty else { return }
        let megabytes = (pieces.reduce(0) { $0 + $1.range.count }) >> 20
        var bytes = 0
        try read(0)
        for index in pieces.indices {
            progress(ProgressUpdate(stage: "copying megabytes", completed: bytes >> 20, total: max(1, megabytes)))
            // The copy first: it waits for the disk, and the others go on meanwhile.
            _ = try concurrentMap(count: 4, threads: 4) { [self] lane in
                switch lane {
                case 0: try copy(index)
                case 1: try read(index + 1)
                case 2: hashFile(index)
                default: hashTensor(index)
                }
            }
            bytes += pieces[index].range.count
        }
        progress(ProgressUpdate(stage: "copying megabytes", completed: max(1, megabytes), total: max(1, megabytes)))
    }

    private func bytes(_ index: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(rebasing: buffers[index % 2][..<pieces[index].range.count])
    }

    private func read(_ index: Int) throws {
        guard index < pieces.count else { return }
        let piece = pieces[index]
        let path = sources[piece.source].file.path
        if piece.range.lowerBound == 0 { input = try InputFile(path) }
        try input?.read(into: bytes(index), at: piece.range.lowerBound)
    }

    private func copy(_ index: Int) throws {
        let piece = pieces[index]
        let copies = sources[piece.source].copies
        for copy in copies[firstEnding(after: piece.range.lowerBound, in: copies)...] {
            let range = copy.source.clamped(to: piece.range)
            if copy.source.lowerBound >= piece.range.upperBound { break }
            let start = range.lowerBound - piece.range.lowerBound
            let part = UnsafeRawBufferPointer(rebasing: bytes(index)[start..<start + range.count])
            let offset = copy.offset + range.lowerBound - copy.source.lowerBound
            try copy.output.write(part, at: offset)
            guard try copy.output.holds(part, at: offset) else {
                throw CheckpointError.notAsWritten(path: copy.output.path, tensor: piece.tensor?.name ?? "the header")
            }
        }
    }

    private func hashFile(_ index: Int) {
        let piece = pieces[index]
        if piece.range.lowerBound == 0 { fileHash = SHA256() }
        fileHash?.update(UnsafeRawBufferPointer(bytes(index)))
        let isLast = index + 1 == pieces.count || pieces[index + 1].source != piece.source
        if isLast, let hash = fileHash.take() { fileHashes[sources[piece.source].file.path] = hash.hexDigest() }
    }

    private func hashTensor(_ index: Int) {
        let piece = pieces[index]
        guard let tensor = piece.tensor else { return }
        if piece.range.lowerBound == tensor.byteRange.lowerBound { tensorHash = SHA256() }
        tensorHash?.update(UnsafeRawBufferPointer(bytes(index)))
        let isLast = piece.range.upperBound == tensor.byteRange.upperBound
        if isLast, let hash = tensorHash.take() { tensorHashes[tensor.name] = hash.hexDigest() }
    }
}

/// The range in parts of at most `size`, in order.
private func split(_ range: Range<Int>, size: Int) -> [Range<Int>] {
    stride(from: range.lowerBound, to: range.upperBound, by: size).map { $0..<min($0 + size, range.upperBound) }
}

/// The index of the first copy that ends after a place, by bisection.
private func firstEnding(after place: Int, in copies: [ByteCopy]) -> Int {
    var (low, high) = (0, copies.count)
    while low < high {
        let middle = (low + high) / 2
        if copies[middle].source.upperBound <= place { low = middle + 1 } else { high = middle }
    }
    return low
}
