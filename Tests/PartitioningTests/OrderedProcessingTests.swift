import Foundation
import Partitioning
import Testing

private final class Block: @unchecked Sendable {
    var value = 0
}

/// Guarded by the promise that filling and draining are each done by one thread at a time.
private final class Ends: @unchecked Sendable {
    var next = 0
    var drained: [Int] = []
}

private struct Failure: Error, Equatable {
    var value: Int
}

struct OrderedProcessingTests {
    private func run(_ count: Int, threads: Int, failing: Set<Int> = []) throws -> [Int] {
        let ends = Ends()
        let blocks = (0..<threads * 2).map { _ in Block() }
        let result = Result {
            try processInOrder(blocks, threads: threads) { block in
                if ends.next == count { return false }
                block.value = ends.next
                ends.next += 1
                return true
            } transform: { block in
                if failing.contains(block.value) { throw Failure(value: block.value) }
                block.value = block.value * block.value
            } drain: { block in
                ends.drained.append(block.value)
            }
        }
        if case .failure(let error as Failure) = result {
            #expect(ends.drained == (0..<error.value).map { $0 * $0 })
        }
        try result.get()
        return ends.drained
    }

    @Test(arguments: [0, 1, 2, 7, 500], [1, 2, 4])
    func `results come in the order of filling`(count: Int, threads: Int) throws {
        #expect(try run(count, threads: threads) == (0..<count).map { $0 * $0 })
    }

    @Test(arguments: [1, 2, 4])
    func `the earliest error is thrown, after what came before it`(threads: Int) {
        #expect(throws: Failure(value: 30)) { try run(200, threads: threads, failing: [30, 31, 90]) }
    }
}
