import Synchronization

/// What one thread needs to encode one text after another without asking for memory each time.
///
/// One thread has it at a time; within a call no two accesses to one property overlap, so that the checks for that are
/// left out: they took a tenth of the time.
final class EncodingScratch {
    /// The normalized text.
    @exclusivity(unchecked) var text = Scratch<UInt8>()
    /// For each normalized byte and for the end the offset of the input that it stands for; filled if asked for.
    @exclusivity(unchecked) var offsets = Scratch<Int32>()
    /// The characters of the text as symbol numbers, and the byte at which each begins, with one more for the end.
    @exclusivity(unchecked) var symbols = Scratch<Int32>()
    @exclusivity(unchecked) var starts = Scratch<Int32>()
    /// A bit for each symbol: does some piece hold it and the symbol before it side by side?
    @exclusivity(unchecked) var joints = Scratch<UInt64>()
    /// For each symbol the piece that it makes with its right neighbour; negative: none.
    @exclusivity(unchecked) var pairs = Scratch<Int32>()
    /// For each symbol the merge with its right neighbour: the rank in the upper half, the new symbol in the lower.
    @exclusivity(unchecked) var merges = Scratch<UInt64>()
    /// For each place between two characters the best path that ends there.
    @exclusivity(unchecked) var paths = Scratch<PathEnd>()
    /// The pieces found: ids, and the byte of the normalized text at which each ends.
    @exclusivity(unchecked) var ids = Scratch<Int32>()
    @exclusivity(unchecked) var ends = Scratch<Int32>()
    /// Whether `ids` holds the unknown id.
    @exclusivity(unchecked) var hasUnknown = false

    /// The best path to a place: its score, its last piece, and the character at which that begins.
    struct PathEnd: BitwiseCopyable {
        var score: Float
        var id: Int32
        /// Negative: no path ends here yet.
        var start: Int32
    }

    func appendPiece(_ id: Int32, end: Int32) {
        ids.append(id)
        ends.append(end)
    }
}

/// Scratches that are not in use, so that a call to encode need not make one.
final class ScratchPool: Sendable {
    private let free = Mutex<[Box]>([])

    /// A scratch is used by one thread at a time: it is out of the pool meanwhile.
    private struct Box: @unchecked Sendable {
        let scratch: EncodingScratch
    }

    func withScratch<R>(_ body: (EncodingScratch) throws -> R) rethrows -> R {
        let box = free.withLock { $0.popLast() } ?? Box(scratch: EncodingScratch())
        defer { free.withLock { $0.append(box) } }
        return try body(box.scratch)
    }
}
