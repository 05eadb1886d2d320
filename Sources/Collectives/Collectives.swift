internal import CMPI
public import Foundation

/// The processes that train together, each with its rank; a process started alone is the only one.
///
/// All of them come to the same calls in the same order. Before data is exchanged, each says whether it goes on: so one
/// that fails anywhere ends the others at their next call, and nobody waits for it. For the main thread only.
public final class Collectives {
    /// This process among the others, from 0 on.
    public let rank: Int
    /// Processes in all.
    public let count: Int
    /// This process among those of its machine, from 0 on.
    public let place: Int
    /// How many of them share this one's processors, itself included.
    public let sharing: Int
    private var hasEnded = false

    /// What a process tells the others before it exchanges data with them.
    private enum Status: UInt8 {
        case goesOn, stops, fails
    }

    /// A process alone.
    public init() {
        (rank, count, place, sharing) = (0, 1, 0, 1)
    }

    private init(rank: Int, count: Int, place: Int, sharing: Int) {
        (self.rank, self.count, self.place, self.sharing) = (rank, count, place, sharing)
    }

    /// What launchers set in each process that they start: Open MPI, MPICH and Slurm's pmi2, Slurm's pmix.
    private static let launchVariables = ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"]

    /// Joins the processes that `mpirun` or `srun` started together; without such a launcher, a process alone.
    public static func join(
        environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(CollectivesError) -> Collectives {
        guard let variable = launchVariables.first(where: { environment[$0] != nil }) else { return Collectives() }
        guard kuoci_mpi_is_built() else {
            if environment[variable] == "1" { return Collectives() }
            throw .notBuilt(variable: variable)
        }
        var (rank, count, place, sharing): (Int32, Int32, Int32, Int32) = (0, 1, 0, 1)
        try check(kuoci_mpi_start(&rank, &count, &place, &sharing))
        return Collectives(rank: Int(rank), count: Int(count), place: Int(place), sharing: max(1, Int(sharing)))
    }

    /// Whether this is the process that writes for all.
    public var isLeader: Bool { rank == 0 }

    /// Runs what all processes do together; whatever one of them throws ends the others too.
    ///
    /// Of several that fail at once, the first throws its error and the others `CollectivesError.ended`. The process can
    /// do nothing together with the others afterwards.
    public func together(_ body: () throws -> Void) throws {
        do {
            try body()
            // A process that is done waits for those which may yet fail.
            try synchronize()
        } catch {
            if let first = try? end(.fails), first < rank { throw CollectivesError.ended(rank: first) }
            throw error
        }
    }

    /// Tells the others that this process was asked to stop: they throw `CollectivesError.stopped` at their next call.
    public func stop() throws(CollectivesError) {
        _ = try end(.stops)
    }

    /// Waits for all processes.
    ///
    /// - Throws: `CollectivesError.ended` or `.stopped` if one of them does not go on.
    public func synchronize() throws(CollectivesError) {
        if count == 1 { return }
        let statuses = try gather([Status.goesOn.rawValue])
        if let failed = statuses.firstIndex(of: Status.fails.rawValue) {
            hasEnded = true
            throw .ended(rank: failed)
        }
        if statuses.contains(Status.stops.rawValue) {
            hasEnded = true
            throw .stopped
        }
    }

    /// Lets the leader do something first, and then the others what it made easy for them.
    public func leaderFirst<R>(_ body: () throws -> R) throws -> R {
        if !isLeader { try synchronize() }
        let result = try body()
        if isLeader { try synchronize() }
        return result
    }

    /// The leader's bytes.
    public func broadcast(_ bytes: [UInt8]) throws(CollectivesError) -> [UInt8] {
        if count == 1 { return bytes }
        try synchronize()
        var size = Int32(clamping: bytes.count)
        try check(kuoci_mpi_broadcast(&size, Int32(MemoryLayout<Int32>.size)))
        var result = isLeader ? bytes : [UInt8](repeating: 0, count: Int(size))
        try check(kuoci_mpi_broadcast(&result, size))
        return result
    }

    /// For each place the sum over all processes, added in the order of ranks.
    public func sum(_ values: [Double]) throws(CollectivesError) -> [Double] {
        if count == 1 { return values }
        try synchronize()
        let all = try gather(values)
        return values.indices.map { place in
            (0..<count).reduce(0) { $0 + all[$1 * values.count + place] }
        }
    }

    /// Adds up arrays of the same sizes over all processes, each number in the order of ranks, in place.
    ///
    /// Call `synchronize` before the first of several.
    public func sum(_ values: UnsafeMutableBufferPointer<Float>) throws(CollectivesError) {
        if count == 1 { return }
        try check(kuoci_mpi_sum(values.baseAddress, Int64(values.count)))
    }

    /// Meets the others at their next call; returns the first process that failed there.
    private func end(_ status: Status) throws(CollectivesError) -> Int? {
        if count == 1 || hasEnded { return nil }
        hasEnded = true
        return try gather([status.rawValue]).firstIndex(of: Status.fails.rawValue)
    }

    /// Every process's values, in the order of ranks.
    private func gather<Value>(_ values: [Value]) throws(CollectivesError) -> [Value] {
        let bytes = values.count * MemoryLayout<Value>.stride
        var all = Array(repeatElement(values, count: count).joined())
        var status: Int32 = 0
        all.withUnsafeMutableBytes { target in
            values.withUnsafeBytes { own in
                status = kuoci_mpi_gather(own.baseAddress, target.baseAddress, Int32(clamping: bytes))
            }
        }
        try check(status)
        return all
    }
}

private func check(_ status: Int32) throws(CollectivesError) {
    if status == 0 { return }
    var text = [CChar](repeating: 0, count: 512)
    kuoci_mpi_error(status, &text, Int32(text.count))
    throw .failed(reason: String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
}
