import Partitioning

/// The mean of some rows, the standard deviation of each column, and the mean of the rows' norms.
struct RowStatistics: Sendable {
    /// [columns].
    let mean: [Double]
    /// [columns]; of the rows as a whole population.
    let deviation: [Double]
    let meanNorm: Double

    /// Two passes over blocks of rows, merged in order in double precision: no result depends on the number of threads.
    ///
    /// - Parameter ids: the rows to look at; nil for all.
    init(_ rows: OldRows, ids: [Int32]? = nil, threads: Int) {
        let count = Double(max(1, ids?.count ?? rows.count))
        func total(_ add: @escaping @Sendable (UnsafeMutableBufferPointer<Float>, inout ColumnSums) -> Void)
            -> ColumnSums
        {
            let blocks = stride(from: 0, to: ids?.count ?? rows.count, by: blockSize).map {
                $0..<min($0 + blockSize, ids?.count ?? rows.count)
            }
            let parts = concurrentValues(count: blocks.count, threads: threads) { index in
                var sums = ColumnSums(width: rows.width)
                if let ids {
                    rows.forEachRow(ids[blocks[index]]) { add($0, &sums) }
                } else {
                    rows.forEachRow(of: blocks[index]) { add($0, &sums) }
                }
                return sums
            }
            return parts.reduce(into: ColumnSums(width: rows.width)) { $0.add($1) }
        }
        let first = total { row, sums in sums.add(row) }
        let mean = first.columns.map { $0 / count }
        self.mean = mean
        meanNorm = first.norms / count
        deviation = total { row, sums in sums.addSquares(of: row, around: mean) }.columns
            .map { ($0 / count).squareRoot() }
    }

    var isFinite: Bool {
        meanNorm.isFinite && mean.allSatisfy(\.isFinite) && deviation.allSatisfy(\.isFinite)
    }
}

/// Rows summed up by one thread at a time: a fixed number, so that the order of additions is fixed.
private let blockSize = 512

private struct ColumnSums: Sendable {
    var columns: [Double]
    var norms = 0.0

    init(width: Int) {
        columns = [Double](repeating: 0, count: width)
    }

    mutating func add(_ row: UnsafeMutableBufferPointer<Float>) {
        norms += norm(row)
        columns.withUnsafeMutableBufferPointer { columns in
            for column in columns.indices { columns[column] += Double(row[column]) }
        }
    }

    mutating func addSquares(of row: UnsafeMutableBufferPointer<Float>, around mean: [Double]) {
        columns.withUnsafeMutableBufferPointer { columns in
            mean.withUnsafeBufferPointer { mean in
                for column in columns.indices {
                    let distance = Double(row[column]) - mean[column]
                    columns[column] += distance * distance
                }
            }
        }
    }

    mutating func add(_ other: ColumnSums) {
        norms += other.norms
        for column in columns.indices { columns[column] += other.columns[column] }
    }

    /// The Euclidean norm; four sums side by side, added in order.
    private func norm(_ row: UnsafeMutableBufferPointer<Float>) -> Double {
        var squares = SIMD4<Double>(repeating: 0)
        var column = 0
        while column + 4 <= row.count {
            let values = SIMD4(
                Double(row[column]), Double(row[column + 1]), Double(row[column + 2]), Double(row[column + 3]))
            squares += values * values
            column += 4
        }
        var sum = squares.sum()
        for column in column..<row.count { sum += Double(row[column]) * Double(row[column]) }
        return sum.squareRoot()
    }
}
