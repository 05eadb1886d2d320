import Checkpoints

/// Makes new rows of one matrix, each from its entry's id alone, so that any thread can make any of them.
protocol RowStart: Sendable {
    /// Fills `rows`, [ids, columns], which are all zero, with the rows of these ids.
    func fill(_ rows: UnsafeMutableBufferPointer<Double>, _ ids: Range<Int>)
}

/// Every row is the same.
struct RepeatedRow: RowStart {
    let row: [Double]

    func fill(_ rows: UnsafeMutableBufferPointer<Double>, _ ids: Range<Int>) {
        for place in 0..<ids.count {
            for column in row.indices { rows[place * row.count + column] = row[column] }
        }
    }
}

/// Each row is a weighted mean of old ones, `fallback` where there are none for it.
struct MixedRows: RowStart {
    let old: OldRows
    /// For each new id from `firstID` on.
    let mixtures: RowMixtures
    let firstID: Int
    let fallback: [Double]

    func fill(_ rows: UnsafeMutableBufferPointer<Double>, _ ids: Range<Int>) {
        let width = old.width
        for (place, id) in ids.enumerated() {
            let row = UnsafeMutableBufferPointer(rebasing: rows[place * width..<(place + 1) * width])
            let (sources, weights) = mixtures[id - firstID]
            let total = weights.reduce(0, +)
            guard total > 0 else {
                for column in 0..<width { row[column] = fallback[column] }
                continue
            }
            var weight = weights.makeIterator()
            old.forEachRow(sources) { add($0, times: weight.next() ?? 0, to: row) }
            for column in 0..<width { row[column] /= total }
        }
    }

    private func add(
        _ source: UnsafeMutableBufferPointer<Float>, times weight: Double, to row: UnsafeMutableBufferPointer<Double>
    ) {
        for column in row.indices { row[column] += weight * Double(source[column]) }
    }
}

/// Each number is drawn with the mean and deviation that its column has in the old rows of the entry's group.
struct NormalRows: RowStart {
    let groups: [RowStatistics]
    /// The group of each new id from `firstID` on.
    let groupOfRow: [Int]
    let firstID: Int
    let spread: Double
    let seed: UInt64

    func fill(_ rows: UnsafeMutableBufferPointer<Double>, _ ids: Range<Int>) {
        for (place, id) in ids.enumerated() {
            let group = groups[groupOfRow[id - firstID]]
            // Input and output draw the same numbers: a tied pair stays a pair whether stored once or twice.
            var generator = NormalGenerator(seed: seed, stream: UInt64(id))
            let start = place * group.mean.count
            for column in group.mean.indices {
                rows[start + column] = group.mean[column] + spread * group.deviation[column] * generator.next()
            }
        }
    }
}
