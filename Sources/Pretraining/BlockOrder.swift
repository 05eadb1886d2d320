import SeededRandom

/// The order in which a run meets its blocks: every epoch is a shuffle of its own, and one follows the other
/// without a gap.
///
/// The shuffle of an epoch depends on (seed, epoch) only, so a resumed run needs no more than its step number.
package struct BlockOrder: Sendable {
    package let blockCount: Int
    package let seed: UInt64
    private var epoch = -1
    private var shuffled: [Int] = []

    package init(blockCount: Int, seed: UInt64) {
        precondition(blockCount > 0, "an order needs blocks")
        self.blockCount = blockCount
        self.seed = seed
    }

    /// The block at a place of the endless sequence epoch 0, epoch 1, ...
    package mutating func block(at place: Int) -> Int {
        let (epoch, index) = place.quotientAndRemainder(dividingBy: blockCount)
        if epoch != self.epoch {
            shuffled = Self.shuffle(blockCount, seed: seed, epoch: epoch)
            self.epoch = epoch
        }
        return shuffled[index]
    }

    /// Fisher and Yates, written out: the standard library may change its own.
    static func shuffle(_ count: Int, seed: UInt64, epoch: Int) -> [Int] {
        var generator = SplitMix64(seed: seed, purpose: UInt64(epoch), 0)
        var order = Array(0..<count)
        for last in stride(from: count - 1, to: 0, by: -1) {
            order.swapAt(last, Int(generator.next(below: UInt64(last + 1))))
        }
        return order
    }
}
