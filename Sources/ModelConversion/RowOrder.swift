/// The order in which the rows of a matrix are stored.
///
/// Rotary positions turn pairs of numbers of each head. Hugging Face pairs the first half of a head with the second;
/// llama.cpp, as Meta did, each even number with the odd one behind it. The rows that make queries and keys are moved
/// accordingly, head by head.
enum RowOrder: Sendable, Equatable {
    case asStored
    /// From halves to pairs, in heads of so many rows.
    case pairing(headWidth: Int)
    /// From pairs to halves.
    case unpairing(headWidth: Int)

    /// The row of the source that comes to stand at `row`.
    func source(of row: Int) -> Int {
        switch self {
        case .asStored: return row
        case .pairing(let width):
            let place = row % width
            return row - place + place % 2 * (width / 2) + place / 2
        case .unpairing(let width):
            let place = row % width
            return row - place + place % (width / 2) * 2 + place / (width / 2)
        }
    }

    /// Rows of the source, whole heads, that hold all that come to stand at `rows`.
    func sources(of rows: Range<Int>) -> Range<Int> {
        switch self {
        case .asStored: return rows
        case .pairing(let width), .unpairing(let width):
            return rows.lowerBound / width * width..<(rows.upperBound + width - 1) / width * width
        }
    }

    /// Calls `body` with the rows `rows` of a matrix in this order, and with nothing else.
    ///
    /// - Parameter bytes: The rows `sources(of: rows)`, each of `rowSize` bytes.
    func withRows<R>(
        _ rows: Range<Int>, of bytes: UnsafeRawBufferPointer, rowSize: Int,
        _ body: (UnsafeRawBufferPointer) throws -> R
    ) rethrows -> R {
        if self == .asStored { return try body(bytes) }
        let first = sources(of: rows).lowerBound
        var moved: [UInt8] = []
        moved.reserveCapacity(rows.count * rowSize)
        for row in rows {
            let start = (source(of: row) - first) * rowSize
            moved.append(contentsOf: bytes[start..<start + rowSize])
        }
        return try moved.withUnsafeBytes(body)
    }

    /// The order of a tensor of Hugging Face's name, in a GGUF file or out of one.
    static func order(of name: String, headWidth: Int, toGGUF: Bool) -> RowOrder {
        guard name.contains(".self_attn.q_proj.") || name.contains(".self_attn.k_proj.") else { return .asStored }
        return toGGUF ? .pairing(headWidth: headWidth) : .unpairing(headWidth: headWidth)
    }
}
