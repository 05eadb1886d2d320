import TestSupport
import Testing

@testable import Pretraining

@Suite struct ParameterSharesTests {
    @Test(arguments: 1...5, [UInt64(3), 4, 5])
    func sharesCoverEachParameterOnceAndAreCutOnlyBetweenUnits(processes: Int, seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let sizes = (0..<40).map { _ in Int.random(in: 1...3000, using: &generator) }
        let order = Array(sizes.indices).shuffled(using: &generator)
        let shares = ParameterShares(sizes: sizes, order: order, processes: processes, unit: 16, bucketSize: 5000)
        #expect(shares.buckets.flatMap { $0 } == order)
        for (place, size) in sizes.enumerated() {
            let parts = (0..<processes).map { shares.part(of: place, process: $0) }
            #expect(parts.flatMap { Array($0) } == Array(0..<size))
            #expect(parts.allSatisfy { $0.lowerBound.isMultiple(of: 16) || $0.lowerBound == size })
        }
        for bucket in shares.buckets {
            let total = bucket.reduce(0) { $0 + sizes[$1] }
            if bucket != shares.buckets.last { #expect(total >= 5000) }
            for process in 0..<processes {
                let own = bucket.reduce(0) { $0 + shares.part(of: $1, process: process).count }
                #expect(abs(own - total / processes) <= 16)
            }
        }
    }

    @Test func moreProcessesThanNumbersLeaveSomeWithoutAShare() {
        let shares = ParameterShares(sizes: [3, 1], order: [1, 0], processes: 8, unit: 16)
        let parts = (0..<8).flatMap { process in [0, 1].map { shares.part(of: $0, process: process).count } }
        #expect(parts.reduce(0, +) == 4)
    }
}
