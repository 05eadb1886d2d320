import Partitioning
import Testing

struct PartitionsTests {
    @Test(arguments: [(0, 3), (1, 3), (7, 3), (9, 3), (5, 1)])
    func `parts cover everything in order`(count: Int, parts: Int) {
        let ranges = partitions(of: count, into: parts)
        #expect(ranges.count == parts)
        #expect(ranges.flatMap { Array($0) } == Array(0..<count))
        #expect((ranges.map(\.count).max() ?? 0) - (ranges.map(\.count).min() ?? 0) <= 1)
    }

    @Test(arguments: [1, 2, 8])
    func `results come in order on any number of threads`(threads: Int) throws {
        #expect(try concurrentMap(count: 100, threads: threads) { $0 * $0 } == (0..<100).map { $0 * $0 })
    }

    private struct Failure: Error, Equatable { var index: Int }

    @Test func `the first error by index is thrown`() {
        #expect(throws: Failure(index: 3)) {
            try concurrentMap(count: 50, threads: 4) { if $0 % 10 == 3 { throw Failure(index: $0) } }
        }
    }
}
