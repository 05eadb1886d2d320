import Partitioning
import Safetensors

/// The rows that are appended to one matrix.
struct NewRows: Sendable {
    let old: OldRows
    let start: any RowStart
    /// The norm that each row is scaled to; nil for none.
    let norm: Double?

    /// Rows made in one go by one thread.
    private static let blockSize = 64

    /// Calls `body` with the bytes of the rows of these ids, block by block in order, in the matrix's type.
    ///
    /// No more than a few blocks are in memory, and no byte depends on the number of threads.
    ///
    /// - Throws: `ResizingError.newRowsNotFinite`, and what `body` throws.
    func forEachBlock(of ids: Range<Int>, threads: Int, _ body: ([UInt8]) throws -> Void) throws {
        let blocks = stride(from: ids.lowerBound, to: ids.upperBound, by: Self.blockSize).map {
            $0..<min($0 + Self.blockSize, ids.upperBound)
        }
        let stretch = 4 * max(1, threads)
        for first in stride(from: 0, to: blocks.count, by: stretch) {
            let made = try concurrentMap(count: min(stretch, blocks.count - first), threads: threads) {
                try bytes(of: blocks[first + $0])
            }
            for block in made { try body(block) }
        }
    }

    /// The rows of some ids, rounded once from double precision by way of `Float`.
    private func bytes(of ids: Range<Int>) throws -> [UInt8] {
        let width = old.width
        let numbers = [Float](unsafeUninitializedCapacity: ids.count * width) { numbers, initialized in
            withUnsafeTemporaryAllocation(of: Double.self, capacity: ids.count * width) { rows in
                rows.initialize(repeating: 0)
                start.fill(rows, ids)
                if let norm {
                    for place in 0..<ids.count {
                        scale(UnsafeMutableBufferPointer(rebasing: rows[place * width..<(place + 1) * width]), to: norm)
                    }
                }
                for place in rows.indices { numbers.initializeElement(at: place, to: Float(rows[place])) }
            }
            initialized = ids.count * width
        }
        let type = old.matrix.type
        let bytes = type.bytes(numbers)
        // What is read back: a narrow type makes infinity of a number that is too large for it.
        guard bytes.withUnsafeBytes({ type.floats($0).allSatisfy(\.isFinite) }) else {
            throw ResizingError.newRowsNotFinite(path: old.file.path, tensor: old.matrix.name, type: type.rawValue)
        }
        return bytes
    }
}

/// Gives a row a norm; a row of zeros has no direction and stays.
private func scale(_ row: UnsafeMutableBufferPointer<Double>, to norm: Double) {
    let found = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
    guard found > 0 else { return }
    for column in row.indices { row[column] *= norm / found }
}
