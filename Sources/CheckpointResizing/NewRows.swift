import Checkpoints
import Safetensors

/// Makes the rows that are appended to one matrix.
struct NewRows {
    let matrix: TensorInfo
    let file: SafetensorsFile
    let initialization: RowInitialization
    let seed: UInt64
    /// The old ids that stand for a new one; only asked by `subwordMean`.
    let subwords: (Int) throws -> [Int]
    private let statistics: RowStatistics

    init(
        _ matrix: TensorInfo, in file: SafetensorsFile, _ initialization: RowInitialization, seed: UInt64,
        subwords: @escaping (Int) throws -> [Int]
    ) throws {
        statistics = RowStatistics(matrix, in: file)
        guard statistics.isFinite else { throw ResizingError.notFinite(path: file.path, tensor: matrix.name) }
        self.matrix = matrix
        self.file = file
        self.initialization = initialization
        self.seed = seed
        self.subwords = subwords
    }

    private var columns: Int { matrix.shape[1] }

    /// The row of a new id in the matrix's type, rounded once from double precision by way of `Float`.
    func bytes(of id: Int) throws -> [UInt8] {
        matrix.type.bytes(try row(id).map { Float($0) })
    }

    private func row(_ id: Int) throws -> [Double] {
        switch initialization {
        case .mean:
            return statistics.mean
        case .normal:
            // Input and output draw the same numbers: a tied pair stays a pair whether stored once or twice.
            var generator = NormalGenerator(seed: seed, stream: UInt64(id))
            return (0..<columns).map { statistics.mean[$0] + statistics.deviation[$0] * generator.next() }
        case .subwordMean:
            let ids = try subwords(id)
            guard !ids.isEmpty else { return statistics.mean }
            var sums = [Double](repeating: 0, count: columns)
            for old in ids { add(row: old, to: &sums) }
            return sums.map { $0 / Double(ids.count) }
        }
    }

    private func add(row: Int, to sums: inout [Double]) {
        precondition(row >= 0 && row < matrix.shape[0], "an old id beyond the old rows")
        let rowSize = columns * matrix.type.bits / 8
        file.withUnsafeBytes(of: matrix) { bytes in
            withUnsafeTemporaryAllocation(of: Float.self, capacity: columns) { values in
                matrix.type.decode(
                    UnsafeRawBufferPointer(rebasing: bytes[row * rowSize..<(row + 1) * rowSize]), into: values)
                for column in 0..<columns { sums[column] += Double(values[column]) }
            }
        }
    }
}
