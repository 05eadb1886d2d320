/// The cheapest way to join a row of parts into one, two neighbours at a time.
///
/// For instance 越, 来, 越 where 越来 costs nothing: `nodes` is [0..<2].
struct MergeTree {
    /// The ranges of parts that are joined on the way to the whole, each after those inside it; the whole is not among them.
    let nodes: [Range<Int>]
    /// The sum of the costs of `nodes`.
    let cost: Int

    /// Joining more parts than this is not searched for, since the search takes the cube of their number.
    static let mostParts = 256

    /// - Parameters:
    ///   - count: the number of parts, at least one and `mostParts` at most.
    ///   - cost: what it costs to have a range of parts, of two at least and not all, as one.
    init(count: Int, cost: (Range<Int>) -> Int) {
        precondition(count > 0 && count <= Self.mostParts, "a tree needs parts, and not too many")
        var best = [Int](repeating: 0, count: (count + 1) * (count + 1))
        var cuts = best
        func index(_ range: Range<Int>) -> Int { range.lowerBound * (count + 1) + range.upperBound }
        for length in 2..<max(count + 1, 3) where length <= count {
            for start in 0...count - length {
                let range = start..<start + length
                var lowest = Int.max
                for cut in start + 1..<range.upperBound {
                    let sum = best[index(start..<cut)] + best[index(cut..<range.upperBound)]
                    if sum <= lowest { (lowest, cuts[index(range)]) = (sum, cut) }
                }
                best[index(range)] = lowest + (length == count ? 0 : cost(range))
            }
        }
        self.cost = best[index(0..<count)]
        var nodes: [Range<Int>] = []
        var open = [0..<count]
        while let range = open.popLast() {
            if range.count < count, range.count > 1 { nodes.append(range) }
            if range.count == 1 { continue }
            let cut = cuts[index(range)]
            open += [cut..<range.upperBound, range.lowerBound..<cut]
        }
        // Shorter ranges first: none comes before one inside it.
        self.nodes = nodes.sorted { ($0.count, $0.lowerBound) < ($1.count, $1.lowerBound) }
    }
}
