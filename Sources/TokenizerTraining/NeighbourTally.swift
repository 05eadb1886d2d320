/// What one merge changes for the pairs on one side of the merged symbol, by the neighbour there.
struct NeighbourTally {
    /// Frequency of the new pairs with the merged symbol.
    private var gained: [Int64] = []
    /// Frequency that the pairs with the half on this side lose.
    private var lost: [Int64] = []
    private var counts: [Int32] = []
    /// Where the next position of a new pair goes; -1 if the pair is not kept.
    private var places: [Int] = []
    private var isTouched: [Bool] = []
    /// The neighbours met, in order.
    private(set) var touched: [Int32] = []
    /// Occurrences of new pairs: the neighbour, and where the pair begins.
    private(set) var occurrences: [(neighbour: Int32, position: Int32)] = []

    mutating func reserve(_ symbols: Int) {
        let missing = symbols - gained.count
        if missing <= 0 { return }
        gained.append(contentsOf: repeatElement(0, count: missing))
        lost.append(contentsOf: repeatElement(0, count: missing))
        counts.append(contentsOf: repeatElement(0, count: missing))
        places.append(contentsOf: repeatElement(-1, count: missing))
        isTouched.append(contentsOf: repeatElement(false, count: missing))
    }

    @inline(__always)
    private mutating func touch(_ neighbour: Int32) {
        if isTouched[Int(neighbour)] { return }
        isTouched[Int(neighbour)] = true
        touched.append(neighbour)
    }

    @inline(__always)
    mutating func gain(_ neighbour: Int32, _ frequency: Int64, at position: Int32) {
        touch(neighbour)
        gained[Int(neighbour)] += frequency
        counts[Int(neighbour)] += 1
        occurrences.append((neighbour, position))
    }

    /// A pair with the merged symbol that this same merge made ends again.
    @inline(__always)
    mutating func takeBack(_ neighbour: Int32, _ frequency: Int64) {
        gained[Int(neighbour)] -= frequency
    }

    @inline(__always)
    mutating func lose(_ neighbour: Int32, _ frequency: Int64) {
        touch(neighbour)
        lost[Int(neighbour)] += frequency
    }

    func lost(_ neighbour: Int32) -> Int64 { lost[Int(neighbour)] }

    /// Makes the frequent ones of the new pairs candidates; `pair` says which pair a neighbour makes.
    mutating func addPairs(
        to candidates: inout CandidatePairs, _ symbols: inout MergeSymbols, _ pair: (Int32) -> (Int32, Int32)
    ) {
        var hasNew = false
        for neighbour in touched where counts[Int(neighbour)] > 0 {
            let frequency = gained[Int(neighbour)]
            let (left, right) = pair(neighbour)
            guard frequency >= candidates.threshold, symbols.mayMerge(left, right) else { continue }
            let count = counts[Int(neighbour)]
            let place = candidates.makeRoom(for: count)
            candidates.append(left, right, frequency: frequency, firstPosition: place, count: count, symbols)
            places[Int(neighbour)] = place
            hasNew = true
        }
        if !hasNew { return }
        for (neighbour, position) in occurrences where places[Int(neighbour)] >= 0 {
            candidates.setPosition(position, at: places[Int(neighbour)])
            places[Int(neighbour)] += 1
        }
    }

    mutating func reset() {
        for neighbour in touched {
            gained[Int(neighbour)] = 0
            lost[Int(neighbour)] = 0
            counts[Int(neighbour)] = 0
            places[Int(neighbour)] = -1
            isTouched[Int(neighbour)] = false
        }
        touched.removeAll(keepingCapacity: true)
        occurrences.removeAll(keepingCapacity: true)
    }
}
