/// What keeps processes from working together.
public enum CollectivesError: Error, Equatable {
    /// A launcher started several processes, as `variable` tells, but this build cannot join them.
    case notBuilt(variable: String)
    /// Another process failed, and says why itself.
    case ended(rank: Int)
    /// Another process was asked to stop.
    case stopped
    case failed(reason: String)
    /// NCCL could not join the devices, or add up what lies on them.
    case deviceSums(reason: String)
}

extension CollectivesError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notBuilt(let variable):
            "\(variable) is set, so this is one of several processes, but this build has no MPI to join them with;"
                + " install it (Debian: libopenmpi-dev), run `make build` again, or start one process alone"
        case .ended(let rank): "process \(rank) of those that train together failed"
        case .stopped: "one of the processes that train together was asked to stop"
        case .deviceSums(let reason):
            "NCCL cannot add up gradients: \(reason); NCCL_DEBUG=INFO tells more"
        case .failed(let reason): "the processes that train together lost one another in MPI: \(reason)"
        }
    }
}
