import Partitioning
import Testing

@Suite struct BatchReductionTests {
    private struct Failure: Error, Equatable { var item: Int }

    @Test(arguments: [1, 2, 7], [1, 10, 1 << 20])
    func `values are merged in the order of the items`(_ threads: Int, _ batchBytes: Int) throws {
        var next = 0
        let all = try reduceInBatches(
            into: [Int](), batchBytes: batchBytes, threads: threads,
            next: { () -> (item: Int, bytes: Int)? in
                next += 1
                return next <= 100 ? (next, 3) : nil
            },
            transform: { Array($0) }, merge: { $0 += $1 })
        #expect(all == Array(1...100))
    }

    @Test func `no items give the first value`() throws {
        let found = try reduceInBatches(
            into: 5, next: { () -> (item: Int, bytes: Int)? in nil }, transform: { $0.count }, merge: { $0 += $1 })
        #expect(found == 5)
    }

    @Test func `the earliest error is thrown`() {
        #expect(throws: Failure(item: 3)) {
            var next = 0
            _ = try reduceInBatches(
                into: 0, threads: 2,
                next: { () -> (item: Int, bytes: Int)? in
                    next += 1
                    return next < 9 ? (next, 1) : nil
                },
                transform: { items in
                    if let bad = items.first(where: { $0 > 2 }) { throw Failure(item: bad) }
                    return items.count
                }, merge: { $0 += $1 })
        }
    }
}
