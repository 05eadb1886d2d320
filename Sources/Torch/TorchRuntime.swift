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
        // The GNU C library raises the size from which on a block is mapped alone with every larger block freed, up to
        // 32 MB; smaller ones then leave holes that nothing else fills. Held at 256 KB, a step of stage lora (width 512,
        // 8 layers, V 49,953, 2,048 tokens) has a peak of 1.59 GB instead of 2.04 GB, at 597 instead of 742 tokens/s.
        kuoci_return_freed_blocks(1 << 18)
    }

    /// - Throws: `TorchError.badThreads` for a number that is not in `threadCounts`.
    public static func setThreads(_ count: Int) throws(TorchError) {
        guard threadCounts.contains(count) else { throw .badThreads(count: count) }
        try check(kuoci_set_threads(Int32(count)), "setting threads")
    }
}
