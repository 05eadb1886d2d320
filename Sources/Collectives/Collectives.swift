internal import CMPI
public import Foundation

/// The processes that train together, each with its rank; a process started alone is the only one.
///
/// All of them come to the same calls in the same order. Before data is exchanged, each says whether it goes on: so one
/// that fails anywhere ends the others at their next call, and nobody waits for it. For one thread only.
public final class Collectives {
    /// This process among the others, from 0 on.
    public let rank: Int
    /// Processes in all.
    public let count: Int
    /// This process among those of its machine, from 0 on.
    public let place: Int
    /// How many of them share this one's processors, itself included.
    public let sharing: Int
    /// What goes on beside the calling thread; every other call waits for it first.
    private let background: Background
    private var hasEnded = false

    /// A process alone.
    public init() {
        (rank, count, place, sharing) = (0, 1, 0, 1)
        background = Background(isThread: false)
    }

    private init(rank: Int, count: Int, place: Int, sharing: Int, takesTurns: Bool) {
        (self.rank, self.count, self.place, self.sharing) = (rank, count, place, sharing)
        background = Background(isThread: takesTurns)
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
        var takesTurns = false
        try check(kuoci_mpi_start(&rank, &count, &place, &sharing, &takesTurns))
        return Collectives(
            rank: Int(rank), count: Int(count), place: Int(place), sharing: max(1, Int(sharing)), takesTurns: takesTurns
        )
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

    /// Tells the others that this process was asked to stop: they throw `CollectivesError.stopped` at their next call. All
    /// may do more together then.
    ///
    /// - Throws: `CollectivesError.ended` if one of them failed meanwhile.
    public func stop() throws(CollectivesError) {
        if let failed = try end(.stops) { throw .ended(rank: failed) }
    }

    /// Waits for all processes, and for the sums that were started.
    ///
    /// - Throws: `CollectivesError.ended` or `.stopped` if one of them does not go on.
    public func synchronize() throws(CollectivesError) {
        if count == 1 { return }
        try finishSums()
        try noting { () throws(CollectivesError) in try Exchange.agree(count: count) }
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
        let all = try Exchange.gather(values, count: count)
        return values.indices.map { place in
            (0..<count).reduce(0) { $0 + all[$1 * values.count + place] }
        }
    }

    /// Starts to add up arrays over all processes, each number in the order of ranks, in place, while the caller goes on.
    ///
    /// Sums come in the order in which they were started, the same in all processes. Until `finishSums` nobody else may use
    /// the arrays.
    /// - Parameters:
    ///   - handsOut: Whether each process gets all sums, or those of its share alone; the others' numbers are then as they
    ///     were.
    ///   - waits: Whether the caller has nothing else to do until then.
    public func startSum(_ arrays: [SharedArray], handsOut: Bool, waits: Bool = false) {
        let count = count
        if count == 1 { return }
        background.start(waits: waits) { () throws(CollectivesError) in
            try Exchange.agree(count: count)
            for array in arrays { try check(kuoci_mpi_sum(array.values, array.cuts, handsOut)) }
        }
    }

    /// Waits for the sums that were started.
    public func finishSums() throws(CollectivesError) {
        try noting { () throws(CollectivesError) in try background.finish() }
    }

    /// Gives each process the others' shares of arrays.
    public func share(_ arrays: [SharedArray]) throws(CollectivesError) {
        if count == 1 { return }
        try synchronize()
        for array in arrays { try check(kuoci_mpi_share(array.values, array.cuts)) }
    }

    /// Gives the leader the others' shares of an array.
    ///
    /// - Parameters:
    ///   - share: This process's own.
    ///   - size: Bytes of a value.
    ///   - cuts: As in `SharedArray`.
    ///   - all: Has room for all shares; nil but for the leader.
    public func collect(
        _ share: UnsafeMutableRawBufferPointer, of size: Int, cuts: [Int], into all: UnsafeMutableRawBufferPointer?
    ) throws(CollectivesError) {
        precondition(
            cuts.count == count + 1 && share.count == size * (cuts[rank + 1] - cuts[rank]), "a share of another size")
        precondition(!isLeader || all?.count == size * cuts[count], "no room for all shares")
        try synchronize()
        try check(kuoci_mpi_collect(share.baseAddress, all?.baseAddress, cuts.map { Int64($0) }, Int32(size)))
    }

    /// Meets the others at their next call; returns the first process that failed there.
    private func end(_ status: Exchange.Status) throws(CollectivesError) -> Int? {
        if count == 1 { return nil }
        // What others wait for in the midst of a sum is given to them; what was not begun they will not begin either.
        background.cancel()
        do {
            try finishSums()
        } catch {
            // The others were asked too, and that is agreed.
            if error == .stopped, status == .stops { return nil }
        }
        if hasEnded { return nil }
        hasEnded = status == .fails
        let failed = try Exchange.gather([status.rawValue], count: count).firstIndex(of: Exchange.Status.fails.rawValue)
        if failed != nil { hasEnded = true }
        return failed
    }

    /// Remembers that nothing can be done together any more.
    private func noting(_ body: () throws(CollectivesError) -> Void) throws(CollectivesError) {
        do {
            try body()
        } catch {
            if error != .stopped { hasEnded = true }
            throw error
        }
    }
}

/// An array that each process has, and in which each has a share.
public struct SharedArray: @unchecked Sendable {
    let values: UnsafeMutablePointer<Float>?
    let cuts: [Int64]
    /// Whoever uses the values has this too, in whatever thread.
    private let owner: AnyObject

    /// - Parameters:
    ///   - values: Are there as long as `owner`.
    ///   - cuts: One more than there are processes, ascending from 0 to the number of values: the share of process r begins
    ///     at `cuts[r]` and ends at `cuts[r + 1]`.
    public init(_ values: UnsafeMutableBufferPointer<Float>, owner: AnyObject, cuts: [Int]) {
        precondition(
            cuts.first == 0 && cuts.last == values.count && zip(cuts, cuts.dropFirst()).allSatisfy { $0 <= $1 },
            "shares that do not cover the array")
        self.values = values.baseAddress
        self.owner = owner
        self.cuts = cuts.map { Int64($0) }
    }
}
