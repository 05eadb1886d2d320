import Partitioning

/// A symmetric matrix, or its triangular factor: the lower triangle of [width, width] in double precision.
struct SymmetricMatrix {
    let width: Int
    /// [width, width], row by row; what stands above the diagonal means nothing.
    private var elements: [Double]

    /// The covariance matrix of rows as a whole population.
    ///
    /// Blocks of rows are multiplied in single precision and added up in double, in order: rounding is about 1e-7 of two
    /// columns' deviations. 32,000 rows of 4096 columns are 270 billion products.
    init(covarianceOf rows: OldRows, mean: [Double], threads: Int) {
        let width = rows.width
        self.width = width
        elements = [Double](repeating: 0, count: width * width)
        let panels = FloatPanels(laneCount: width, depth: blockSize)
        elements.withUnsafeMutableBufferPointer { elements in
            // Each panel of rows is written by one thread.
            nonisolated(unsafe) let elements = elements
            for start in stride(from: 0, to: rows.count, by: blockSize) {
                let block = start..<min(start + blockSize, rows.count)
                center(rows, block, mean, panels)
                _ = concurrentValues(count: panels.count, threads: threads) { panel in
                    addProducts(of: panels, panel, depth: block.count, to: elements)
                }
            }
            for index in elements.indices { elements[index] /= Double(max(1, rows.count)) }
        }
    }

    /// For tests: from its rows.
    init(width: Int, _ elements: [Double]) {
        self.width = width
        self.elements = elements
    }

    subscript(row: Int, column: Int) -> Double {
        column <= row ? elements[row * width + column] : elements[column * width + row]
    }

    /// Puts Cholesky's factor L, lower triangular with L L^T = self, in the matrix's place.
    ///
    /// The matrix may be singular: a column whose rest is no more than its rounding is zero in L.
    mutating func factorize(threads: Int) {
        let width = width
        elements.withUnsafeMutableBufferPointer { elements in
            nonisolated(unsafe) let elements = elements
            let variances = (0..<width).map { elements[$0 * width + $0] }
            for start in stride(from: 0, to: width, by: stripWidth) {
                let strip = start..<min(start + stripWidth, width)
                // Rows depend on those of the strip's own square, which goes first.
                for row in strip { factorizeRow(row, strip, variances, elements, width) }
                let parts = partitions(of: width - strip.upperBound, into: max(1, (width - strip.upperBound) / 32))
                _ = concurrentValues(count: parts.count, threads: threads) { part in
                    for row in parts[part] {
                        factorizeRow(strip.upperBound + row, strip, variances, elements, width)
                    }
                }
            }
        }
    }

    /// The rows of the lower triangle as lanes, zero from the diagonal on.
    func panels() -> FloatPanels {
        let panels = FloatPanels(laneCount: width, depth: width)
        for row in 0..<width {
            for column in 0...row { panels[row, column] = Float(elements[row * width + column]) }
        }
        return panels
    }
}

/// Old rows multiplied in single precision before they are added up in double.
private let blockSize = 256

/// Columns of the factor that are computed in one go: their rows, 32 times 4096 numbers, stay in the cache.
private let stripWidth = 32

/// Lays out the distances of rows from the mean, columns as lanes.
private func center(_ rows: OldRows, _ block: Range<Int>, _ mean: [Double], _ panels: FloatPanels) {
    var place = 0
    rows.forEachRow(of: block) { row in
        for panel in 0..<panels.count {
            let numbers = panels.panel(panel)
            let first = panel * FloatPanels.lanes
            for column in first..<min(first + FloatPanels.lanes, row.count) {
                numbers[place * FloatPanels.lanes + column - first] = Float(Double(row[column]) - mean[column])
            }
        }
        place += 1
    }
}

/// Adds the products of a panel's lanes with all lanes up to them.
private func addProducts(
    of panels: FloatPanels, _ panel: Int, depth: Int, to elements: UnsafeMutableBufferPointer<Double>
) {
    let width = panels.laneCount
    for firstRow in stride(from: panel * FloatPanels.lanes, to: min((panel + 1) * FloatPanels.lanes, width), by: 4) {
        for other in 0...panel {
            let tile = ProductTile(panels, firstLane: firstRow, panels, panel: other, depth: depth)
            let firstColumn = other * FloatPanels.lanes
            for lane in 0..<min(4, width - firstRow) {
                let products = tile[lane]
                let start = (firstRow + lane) * width + firstColumn
                for column in 0..<min(FloatPanels.lanes, width - firstColumn) {
                    elements[start + column] += Double(products[column])
                }
            }
        }
    }
}

/// Computes the factor's numbers in some columns of a row out of those to their left and above.
private func factorizeRow(
    _ row: Int, _ strip: Range<Int>, _ variances: [Double], _ elements: UnsafeMutableBufferPointer<Double>, _ width: Int
) {
    let start = row * width
    for column in strip.lowerBound..<min(strip.upperBound, row + 1) {
        let rest = elements[start + column] - product(elements, start, column * width, count: column)
        if column == row {
            // What rounding leaves of a column that depends on those before it.
            elements[start + column] = rest > 1e-6 * variances[column] ? rest.squareRoot() : 0
        } else {
            let diagonal = elements[column * width + column]
            elements[start + column] = diagonal > 0 ? rest / diagonal : 0
        }
    }
}

/// The sum of products of `count` numbers from two places; eight sums side by side, added in order.
private func product(_ elements: UnsafeMutableBufferPointer<Double>, _ left: Int, _ right: Int, count: Int) -> Double {
    precondition(max(left, right) + count <= elements.count, "numbers beyond the matrix")
    let bytes = UnsafeRawBufferPointer(elements)
    var sums = SIMD8<Double>.zero
    var place = 0
    while place + 8 <= count {
        let first = bytes.loadUnaligned(fromByteOffset: (left + place) * 8, as: SIMD8<Double>.self)
        sums += first * bytes.loadUnaligned(fromByteOffset: (right + place) * 8, as: SIMD8<Double>.self)
        place += 8
    }
    var sum = sums.sum()
    while place < count {
        sum += elements[left + place] * elements[right + place]
        place += 1
    }
    return sum
}
