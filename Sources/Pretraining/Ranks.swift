import Collectives
import Foundation
import OrderedJSON
import Partitioning
import Torch

// What the processes of a run do together. The same options give the same result on any number of them, but for the
// rounding of sums of gradients.

extension Collectives {
    /// The part of some work that this process does: one piece of all of it, in the order of ranks.
    func share(of count: Int) -> Range<Int> { partitions(of: count, into: self.count)[rank] }

    /// Lets the leader open a run's directory; the others get nil, and hear it when the run is finished already.
    func openRun(_ body: () throws -> RunDirectory) throws -> RunDirectory? {
        var directory: RunDirectory?
        var finished = ""
        if isLeader {
            do {
                directory = try body()
            } catch PretrainingError.alreadyFinished(let run) {
                finished = run
            }
        }
        let run = String(decoding: try broadcast(Array(finished.utf8)), as: UTF8.self)
        if !run.isEmpty { throw PretrainingError.alreadyFinished(run: run) }
        return directory
    }

    /// What adds up gradients on the processes' devices; nil where MPI adds them up in the processes' memory. `note` hears
    /// which, where there is a choice.
    func deviceSums(_ computation: Computation, note: (String) -> Void) throws -> DeviceSums? {
        guard count > 1, let library = computation.sumLibrary(environment: ProcessInfo.processInfo.environment) else {
            return nil
        }
        let sums = try DeviceSums(self, library: library)
        note(
            sums.map { "gradients are added up by \($0.name)" }
                ?? "gradients are added up by MPI, in the processes' memory: \(library) was not found")
        return sums
    }

    /// The position that the leader finds.
    func position(_ body: () throws -> RunPosition?) throws -> RunPosition? {
        let found = isLeader ? try body() : nil
        if count == 1 { return found }
        let bytes = try broadcast((found?.json ?? .null).utf8(.line))
        return try RunPosition(JSONValue(parsing: bytes))
    }
}

extension PretrainingOptions {
    /// - Throws: `PretrainingError.badOption` where some processes would have nothing to do.
    func checkShares(among ranks: Collectives) throws(PretrainingError) {
        if shardsOptimizer, ranks.count > 1, device != .cpu {
            throw .badOption(name: "--shard-optimizer", value: "", need: "is for --device cpu as yet")
        }
        if accumulation >= ranks.count { return }
        throw .badOption(
            name: "--accumulation", value: "\(accumulation)",
            need: "\(ranks.count) processes share out the micro-batches of a step: it must be at least \(ranks.count)")
    }
}
