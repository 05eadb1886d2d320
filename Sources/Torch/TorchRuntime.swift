internal import CTorch

/// What libtorch keeps for the whole process.
public enum TorchRuntime {
    /// Threads that an operation uses.
    public static var threads: Int { Int(kuoci_threads()) }

    public static func setThreads(_ count: Int) throws(TorchError) {
        precondition(count > 0, "no threads to compute on")
        try check(kuoci_set_threads(Int32(count)), "setting threads")
    }
}
