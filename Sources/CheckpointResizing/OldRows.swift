import Safetensors

/// The rows of a stored matrix, read as floats where they are mapped.
struct OldRows: Sendable {
    let matrix: TensorInfo
    let file: SafetensorsFile

    var count: Int { matrix.shape[0] }
    var width: Int { matrix.shape[1] }
    private var rowSize: Int { width * matrix.type.bits / 8 }

    /// Calls `body` with each of the rows in order, and lets go of their memory afterwards.
    func forEachRow(of range: Range<Int>, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "a row beyond the old ones")
        let rowSize = rowSize
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { row in
            file.withChunk(of: matrix, range.lowerBound * rowSize..<range.upperBound * rowSize) { bytes in
                for start in stride(from: 0, to: range.count * rowSize, by: max(1, rowSize)) {
                    matrix.type.decode(UnsafeRawBufferPointer(rebasing: bytes[start..<start + rowSize]), into: row)
                    body(row)
                }
            }
        }
    }

    /// Calls `body` with each of the rows in the order of `ids`.
    func forEachRow(_ ids: some Collection<Int32>, _ body: (UnsafeMutableBufferPointer<Float>) -> Void) {
        let rowSize = rowSize
        withUnsafeTemporaryAllocation(of: Float.self, capacity: width) { row in
            file.withUnsafeBytes(of: matrix) { bytes in
                for id in ids {
                    precondition(id >= 0 && id < count, "an old id beyond the old rows")
                    let start = Int(id) * rowSize
                    matrix.type.decode(UnsafeRawBufferPointer(rebasing: bytes[start..<start + rowSize]), into: row)
                    body(row)
                }
            }
        }
    }
}
