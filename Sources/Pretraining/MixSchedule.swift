/// Which corpus each place of an endless run takes its block from.
///
/// With weight w of W in all, a corpus has at every place n been given w n / W blocks, rounded down or up: no corpus is
/// ever a whole block behind or ahead of its share. That is the quota method of Balinski and Young (1975): the next
/// place goes to the corpus with the largest w / (c + 1), c being what it has so far, among those that it would not lift
/// above their share rounded up; the first of equals takes it. After W places every count is exact and all begins anew,
/// so the schedule follows from the place alone.
package struct MixSchedule: Sendable {
    /// Whole numbers without a common divisor.
    let weights: [Int]
    /// W.
    let period: Int
    /// Places of the period that `counts` counts.
    private var place = 0
    private var counts: [Int]

    /// - Parameter weights: Each above 0, at most 1000 in all, so that products of two counts fit an `Int`.
    package init(_ weights: [MixWeight]) {
        precondition(!weights.isEmpty, "a mix needs corpora")
        let divisor = weights.reduce(0) { greatestCommonDivisor($0, $1.millionths) }
        self.weights = weights.map { $0.millionths / divisor }
        period = self.weights.reduce(0, +)
        precondition(period <= MixWeight.limit, "the weights are too large")
        counts = Array(repeating: 0, count: weights.count)
    }

    /// For each place: a corpus, and how many of the places before were its own.
    package mutating func turns(_ places: Range<Int>) -> [(corpus: Int, number: Int)] {
        places.map { place in
            let (past, rest) = place.quotientAndRemainder(dividingBy: period)
            seek(rest)
            let corpus = next()
            return (corpus, past * weights[corpus] + counts[corpus])
        }
    }

    /// How many of the first places each corpus has.
    package mutating func counts(before place: Int) -> [Int] {
        let (past, rest) = place.quotientAndRemainder(dividingBy: period)
        seek(rest)
        return zip(weights, counts).map { past * $0 + $1 }
    }

    /// How many places pass until a corpus has had `count` of them, the last being its own; nil beyond what an `Int` holds.
    package mutating func places(of corpus: Int, count: Int) -> Int? {
        precondition(count > 0, "no place is before the first")
        let (past, rest) = (count - 1).quotientAndRemainder(dividingBy: weights[corpus])
        seek(0)
        while counts[corpus] <= rest { advance() }
        let (whole, isTooLong) = past.multipliedReportingOverflow(by: period)
        let (sum, isTooMany) = whole.addingReportingOverflow(place)
        return isTooLong || isTooMany ? nil : sum
    }

    private mutating func seek(_ target: Int) {
        if target < place {
            place = 0
            for corpus in counts.indices { counts[corpus] = 0 }
        }
        while place < target { advance() }
    }

    private mutating func advance() {
        counts[next()] += 1
        place += 1
    }

    private func next() -> Int {
        var best: Int?
        for corpus in weights.indices where counts[corpus] * period < (place + 1) * weights[corpus] {
            if let leader = best,
                weights[corpus] * (counts[leader] + 1) <= weights[leader] * (counts[corpus] + 1)
            {
                continue
            }
            best = corpus
        }
        // What all lack up to the next place sums to 1, so somebody lacks something.
        guard let best else { preconditionFailure("no corpus is below its share") }
        return best
    }
}

private func greatestCommonDivisor(_ a: Int, _ b: Int) -> Int {
    b == 0 ? a : greatestCommonDivisor(b, a % b)
}
