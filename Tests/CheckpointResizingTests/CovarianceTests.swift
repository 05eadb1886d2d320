import Checkpoints
import Safetensors
import TestSupport
import Testing

@testable import CheckpointResizing

struct CovarianceTests {
    /// A stored matrix of random rows, with its numbers.
    private func withRows(
        _ count: Int, _ width: Int,
        make: (Int, Int, inout SeededGenerator) -> Float = { _, _, generator in
            Float.random(in: -1...1, using: &generator)
        }, _ body: (OldRows, [[Double]]) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            var generator = SeededGenerator(seed: 12)
            var rows = (0..<count).map { row in (0..<width).map { make(row, $0, &generator) } }
            // Columns that go together, so that there is something to find.
            for row in rows.indices { for column in 1..<width { rows[row][column] += 0.5 * rows[row][column - 1] } }
            let plan = TensorPlan(name: "m", type: .float32, shape: [count, width])
            var writer = try SafetensorsWriter(directory + "/m.safetensors", tensors: [plan])
            try writer.write(TensorType.float32.bytes(Array(rows.joined())))
            try writer.finish()
            let file = try SafetensorsFile(directory + "/m.safetensors")
            try body(OldRows(matrix: #require(file["m"]), file: file), rows.map { $0.map(Double.init) })
        }
    }

    private func covariance(_ rows: [[Double]]) -> (mean: [Double], matrix: [[Double]]) {
        let (count, width) = (Double(rows.count), rows[0].count)
        let mean = (0..<width).map { column in rows.reduce(0) { $0 + $1[column] } / count }
        let matrix = (0..<width).map { i in
            (0..<width).map { j in rows.reduce(0) { $0 + ($1[i] - mean[i]) * ($1[j] - mean[j]) } / count }
        }
        return (mean, matrix)
    }

    /// Widths that fill panels of eight and that do not; rows that fill blocks of 256 and that do not; a factor of one
    /// strip of columns and of several; fewer rows than columns.
    @Test(arguments: [(5, 3), (256, 8), (700, 17), (300, 70), (20, 40)])
    func factorTimesItselfIsTheCovariance(_ count: Int, _ width: Int) throws {
        try withRows(count, width) { rows, numbers in
            let (mean, expected) = covariance(numbers)
            for threads in [1, 3] {
                var matrix = SymmetricMatrix(covarianceOf: rows, mean: mean, threads: threads)
                let largest = expected.joined().map(abs).max() ?? 0
                for i in 0..<width {
                    for j in 0..<width { #expect(abs(matrix[i, j] - expected[i][j]) < 1e-6 * largest) }
                }
                matrix.factorize(threads: threads)
                let factor = matrix.panels()
                for i in 0..<width {
                    for j in 0...i {
                        let product = (0...j).reduce(0.0) { $0 + Double(factor[i, $1]) * Double(factor[j, $1]) }
                        // A singular matrix keeps its rounding, magnified.
                        #expect(abs(product - expected[i][j]) < (count > width ? 2e-6 : 1e-4) * largest, "\(i) \(j)")
                    }
                }
            }
        }
    }

    /// A column that never changes and one that repeats another make the matrix singular.
    @Test func aSingularMatrixHasAFactor() throws {
        try withRows(
            100, 6,
            make: { _, column, generator in
                let number = Float.random(in: -1...1, using: &generator)
                return column == 0 ? 3 : number
            }
        ) { rows, numbers in
            let (mean, _) = covariance(numbers)
            var matrix = SymmetricMatrix(covarianceOf: rows, mean: mean, threads: 2)
            matrix.factorize(threads: 2)
            let factor = matrix.panels()
            #expect((0..<6).allSatisfy { row in (0..<6).allSatisfy { factor[row, $0].isFinite } })
            #expect((0..<6).allSatisfy { factor[$0, 0] == 0 })
        }
    }

    /// Means and covariances of 40,000 draws are within five standard errors of the old rows'.
    @Test func drawsHaveTheOldRowsMoments() throws {
        try withRows(500, 5) { rows, numbers in
            let (mean, expected) = covariance(numbers)
            var matrix = SymmetricMatrix(covarianceOf: rows, mean: mean, threads: 2)
            matrix.factorize(threads: 2)
            let start = CovarianceRows(mean: mean, factor: matrix.panels(), spread: 1, seed: 9)
            let count = 40_000
            let drawn = UnsafeMutableBufferPointer<Double>.allocate(capacity: count * 5)
            defer { drawn.deallocate() }
            drawn.initialize(repeating: 0)
            start.fill(drawn, 500..<500 + count)
            let (drawnMean, drawnMatrix) = covariance((0..<count).map { Array(drawn[$0 * 5..<$0 * 5 + 5]) })
            for i in 0..<5 {
                #expect(abs(drawnMean[i] - mean[i]) < 5 * (expected[i][i] / Double(count)).squareRoot())
                for j in 0..<5 {
                    let error = ((expected[i][i] * expected[j][j] + expected[i][j] * expected[i][j]) / Double(count))
                        .squareRoot()
                    #expect(abs(drawnMatrix[i][j] - expected[i][j]) < 5 * error)
                }
            }
        }
    }

    @Test func tilesAreSumsOfProducts() {
        var generator = SeededGenerator(seed: 3)
        let (left, right) = (FloatPanels(laneCount: 13, depth: 9), FloatPanels(laneCount: 10, depth: 9))
        for panels in [left, right] {
            for lane in 0..<panels.laneCount {
                panels.fill(lane: lane, with: (0..<9).map { _ in Float(Int.random(in: -8...8, using: &generator)) })
            }
        }
        for first in stride(from: 0, to: 13, by: 4) {
            for panel in 0..<right.count {
                let tile = ProductTile(left, firstLane: first, right, panel: panel, depth: 7)
                for lane in 0..<min(4, 13 - first) {
                    for other in 0..<min(8, 10 - panel * 8) {
                        let sum = (0..<7).reduce(Float(0)) {
                            $0 + left[first + lane, $1] * right[panel * 8 + other, $1]
                        }
                        #expect(tile[lane][other] == sum)
                    }
                }
            }
        }
    }
}
