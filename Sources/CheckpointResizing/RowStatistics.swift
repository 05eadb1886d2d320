import Safetensors

/// The mean and the standard deviation of each column of a matrix.
struct RowStatistics {
    /// [columns].
    let mean: [Double]
    /// [columns]; of the rows as a whole population.
    let deviation: [Double]

    /// Two passes over the rows in their order, in double precision: the result depends on nothing else.
    init(_ matrix: TensorInfo, in file: SafetensorsFile) {
        let (rows, columns) = (matrix.shape[0], matrix.shape[1])
        var sums = [Double](repeating: 0, count: columns)
        forEachRow(of: matrix, in: file) { row in
            for column in 0..<columns { sums[column] += Double(row[column]) }
        }
        let mean = sums.map { $0 / Double(max(rows, 1)) }
        var squares = [Double](repeating: 0, count: columns)
        forEachRow(of: matrix, in: file) { row in
            for column in 0..<columns {
                let distance = Double(row[column]) - mean[column]
                squares[column] += distance * distance
            }
        }
        self.mean = mean
        deviation = squares.map { ($0 / Double(max(rows, 1))).squareRoot() }
    }

    var isFinite: Bool {
        mean.allSatisfy(\.isFinite) && deviation.allSatisfy(\.isFinite)
    }
}

/// Calls `body` with each row as floats; memory holds a few rows at a time.
private func forEachRow(
    of matrix: TensorInfo, in file: SafetensorsFile, _ body: (UnsafeMutableBufferPointer<Float>) -> Void
) {
    let columns = matrix.shape[1]
    let rowSize = columns * matrix.type.bits / 8
    guard rowSize > 0 else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { row in
        // Whole rows to a chunk, about 8 MiB of them.
        file.forEachChunk(of: matrix, size: max(1, (1 << 23) / rowSize) * rowSize) { chunk in
            for start in stride(from: 0, to: chunk.count, by: rowSize) {
                matrix.type.decode(UnsafeRawBufferPointer(rebasing: chunk[start..<start + rowSize]), into: row)
                body(row)
            }
        }
    }
}
