// One of the processes of CollectivesTests: `collectives-process SCENARIO DIRECTORY`, started by mpirun. What it ends with
// goes to DIRECTORY/RANK.
import Collectives
import FileIO
import Foundation

private struct Planned: Error {}

/// An array that lives as long as it is shared.
private final class Numbers {
    let values: UnsafeMutableBufferPointer<Float>

    init(_ numbers: [Float]) {
        values = .allocate(capacity: numbers.count)
        _ = values.initialize(from: numbers)
    }

    deinit { values.deallocate() }

    var bytes: [UInt8] { Array(UnsafeRawBufferPointer(values)) }
}

private func shared(_ numbers: Numbers, _ ranks: Collectives) -> SharedArray {
    SharedArray(numbers.values, owner: numbers, cuts: Scenario.cuts(of: numbers.values.count, count: ranks.count))
}

private func run(_ scenario: Scenario, _ ranks: Collectives) throws -> [UInt8] {
    let numbers = Scenario.sizes.map { Numbers(Scenario.values(rank: ranks.rank, size: $0)) }
    let arrays = numbers.map { shared($0, ranks) }
    let isLast = ranks.rank == ranks.count - 1
    switch scenario {
    case .sums:
        for array in arrays { ranks.startSum([array], handsOut: true) }
        try ranks.finishSums()
        return numbers.flatMap(\.bytes)
    case .shares:
        ranks.startSum(arrays, handsOut: false)
        try ranks.share(arrays)
        return numbers.flatMap(\.bytes)
    case .collected:
        return try numbers.flatMap { own in
            let cuts = Scenario.cuts(of: own.values.count, count: ranks.count)
            let whole = ranks.isLeader ? Numbers([Float](repeating: 0, count: own.values.count)) : nil
            let share = UnsafeMutableBufferPointer(rebasing: own.values[cuts[ranks.rank]..<cuts[ranks.rank + 1]])
            let room = whole.map { UnsafeMutableRawBufferPointer($0.values) }
            try ranks.collect(
                UnsafeMutableRawBufferPointer(share), of: MemoryLayout<Float>.stride, cuts: cuts, into: room)
            return whole?.bytes ?? []
        }
    case .messages:
        let sums = try ranks.sum(Scenario.values(rank: ranks.rank, size: 1000).map { Double($0) })
        let empty = try ranks.broadcast([])
        return try sums.withUnsafeBytes { Array($0) } + empty + ranks.broadcast(ranks.isLeader ? Scenario.message : [])
    case .failure:
        ranks.startSum(arrays, handsOut: true)
        if isLast { throw Planned() }
        ranks.startSum(arrays, handsOut: true)
        try ranks.finishSums()
        return []
    case .stop:
        if isLast {
            try ranks.stop()
        } else {
            ranks.startSum(arrays, handsOut: true)
            ranks.startSum(arrays, handsOut: true)
            do {
                try ranks.finishSums()
            } catch {
                if error != .stopped { throw error }
            }
        }
        let sums = try ranks.sum([Double(ranks.rank + 1)])
        // Nothing was added to what was never begun.
        return sums.withUnsafeBytes { Array($0) } + numbers.flatMap(\.bytes)
    case .failureAndStop:
        if isLast { throw Planned() }
        if ranks.rank == ranks.count - 2 { try ranks.stop() } else { try ranks.synchronize() }
        return []
    }
}

guard CommandLine.arguments.count == 3, let scenario = Scenario(rawValue: CommandLine.arguments[1]) else { exit(64) }
let ranks = try Collectives.join()
let path = CommandLine.arguments[2] + "/\(ranks.rank)"
do {
    try ranks.together { try writeFile(path, run(scenario, ranks)) }
} catch let error as CollectivesError {
    try writeFile(path, "\(error)".utf8)
} catch is Planned {
    try writeFile(path, "planned".utf8)
    exit(7)
}
