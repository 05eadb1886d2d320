internal import CTorch

/// What libtorch keeps for the whole process.
public enum TorchRuntime {
    /// How many threads can be asked for: a few times the processors of large machines.
    public static let threadCounts = 1...1024

    /// Threads that an operation uses.
    public static var threads: Int { Int(kuoci_threads()) }

    /// Bytes of the CPU's tensors of 256 KB or more: of those in use, of freed ones whose memory is kept for the next of their
    /// size, and the most that was in use at once, which the two others together never exceed. All 0 before `prepare`.
    public static var pooledBytes: (used: Int, kept: Int, mostUsed: Int) {
        let bytes = kuoci_pooled_bytes()
        return (Int(bytes.used), Int(bytes.kept), Int(bytes.most_used))
    }

    /// Gives the memory that is kept for later tensors back to the system: before work that needs memory of another kind.
    public static func releaseKeptBlocks() { kuoci_release_blocks() }

    /// Sets what a program wants of libtorch before it computes: its threads, freed memory used again but not piled up, and on
    /// a GPU the same bits every time.
    public static func prepare(threads: Int, _ computation: Computation = .standard) throws(TorchError) {
        try setThreads(threads)
        if computation.device != .cpu {
            try check(kuoci_prepare_cuda(), "preparing CUDA")
            try check(kuoci_use_cuda(computation.device.number), "preparing CUDA")
        }
        kuoci_pool_blocks()
    }

    /// - Throws: `TorchError.badThreads` for a number that is not in `threadCounts`.
    public static func setThreads(_ count: Int) throws(TorchError) {
        guard threadCounts.contains(count) else { throw .badThreads(count: count) }
        try check(kuoci_set_threads(Int32(count)), "setting threads")
    }
}
