import TestSupport

/// What several processes do together, and what each of them must then have.
enum Scenario: String, CaseIterable, Sendable {
    /// Sums that are started one after another, handed out to all.
    case sums
    /// The same sums, each of its share alone, and then shared.
    case shares
    /// Shares, brought to the leader.
    case collected
    /// Short sums, and the leader's bytes.
    case messages
    /// The last process fails while sums go on.
    case failure
    /// The last process is asked to stop while the others wait for sums; then all do more together.
    case stop
    /// The last process fails while the one before it is asked to stop.
    case failureAndStop

    /// Sizes around those of a round and of a share of it.
    static let sizes = [0, 1, 2, 3, 1000, 65_537, 262_143, 262_144, 262_145, 786_433, 1_100_001]

    /// Where the shares of an array begin: even ones, or some that are empty and of odd sizes.
    static func cuts(of size: Int, count: Int) -> [Int] {
        var generator = SeededGenerator(seed: UInt64(size))
        if size.isMultiple(of: 2) { return (0...count).map { size * $0 / count } }
        return [0] + (1..<count).map { _ in Int.random(in: 0...size, using: &generator) }.sorted() + [size]
    }

    /// A process's numbers: of sizes so far apart that the order of additions shows.
    static func values(rank: Int, size: Int) -> [Float] {
        var generator = SeededGenerator(seed: UInt64(size * 64 + rank))
        return (0..<size).map { _ in
            let number = Float(Int64(truncatingIfNeeded: generator.next() >> 40) - (1 << 23))
            return number * Float(sign: .plus, exponent: Int(generator.next() % 24) - 12, significand: 1)
        }
    }

    /// Bytes that only the leader begins with.
    static let message = (0..<70_001).map { UInt8(truncatingIfNeeded: $0 * 7) }
}
