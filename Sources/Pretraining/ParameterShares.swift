/// How the numbers that train are shared out among processes.
///
/// Gradients are added up in buckets, in the order in which the way back completes them. Each process adds up its share of
/// each bucket; with a sharded optimizer it also keeps the state of that share alone.
package struct ParameterShares: Sendable {
    /// The places of the parameters in each bucket.
    package let buckets: [[Int]]
    /// For each parameter where the shares begin, process by process, and its size.
    package let cuts: [[Int]]

    /// Numbers in a bucket at least, but for the last one: 4 MB. A matrix is never divided among buckets.
    static let bucketSize = 1 << 20

    /// - Parameters:
    ///   - sizes: Those of the parameters.
    ///   - order: Their places, in the order in which their gradients are complete.
    ///   - unit: A parameter is cut at multiples of it alone.
    package init(
        sizes: [Int], order: [Int], processes: Int, unit: Int, bucketSize: Int = ParameterShares.bucketSize
    ) {
        var buckets: [[Int]] = []
        var filled = bucketSize
        for place in order {
            if filled >= bucketSize {
                buckets.append([])
                filled = 0
            }
            buckets[buckets.count - 1].append(place)
            filled += sizes[place]
        }
        var cuts = sizes.map { _ in [0] }
        for bucket in buckets {
            let total = bucket.reduce(0) { $0 + sizes[$1] }
            for process in 1...processes {
                let end = total / processes * process + min(process, total % processes)
                var start = 0
                for place in bucket {
                    let inside = min(max(0, end - start), sizes[place])
                    cuts[place].append(inside == sizes[place] ? inside : inside / unit * unit)
                    start += sizes[place]
                }
            }
        }
        self.buckets = buckets
        self.cuts = cuts
    }

    /// What of a parameter is a process's share.
    package func part(of parameter: Int, process: Int) -> Range<Int> {
        cuts[parameter][process]..<cuts[parameter][process + 1]
    }
}
