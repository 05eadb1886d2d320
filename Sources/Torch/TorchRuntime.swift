internal import CTorch

/// What libtorch keeps for the whole process.
public enum TorchRuntime {
    /// How many threads can be asked for: a few times the processors of large machines.
    public static let threadCounts = 1...1024

    /// Threads that an operation uses.
    public static var threads: Int { Int(kuoci_threads()) }

    /// Sets what a program wants of libtorch before it computes: its threads, no memory kept that is not in use, and on a GPU
    /// the same bits every time.
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
