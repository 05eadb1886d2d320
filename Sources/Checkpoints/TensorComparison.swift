import FileIO
import Glibc
public import Safetensors

/// How two tensors of one name differ.
public struct TensorComparison: Sendable, Equatable {
    public let old: TensorPlan
    public let new: TensorPlan
    /// Rows that were to be the same; nil where types or widths differ, so that no two rows can be.
    public var comparedRows: Int?
    public var differentRows = 0
    /// The first row that differs, in the old tensor and in the new one.
    public var firstDifference: RowPair?
    /// Between two numbers in the same place; NaN where one of them is, nil for what holds no floats.
    public var largestDifference: Double?
    /// Whether only the rows that were compared were asked for, and the rest may be as it likes.
    public var isPartial = false

    public struct RowPair: Sendable, Equatable {
        public var old: Int
        public var new: Int
    }

    public var name: String { old.name }

    /// Whether all that was to be the same is.
    public var isSame: Bool {
        comparedRows != nil && differentRows == 0 && (isPartial || old.shape == new.shape)
    }
}

/// Two tensors where they are stored.
struct StoredPair: Sendable {
    let old: (file: SafetensorsFile, tensor: TensorInfo)
    let new: (file: SafetensorsFile, tensor: TensorInfo)

    /// Compares the rows of these runs, or all that both have.
    func compare(runs: [RowRun]? = nil) -> TensorComparison {
        var result = TensorComparison(old: TensorPlan(old.tensor), new: TensorPlan(new.tensor))
        guard old.tensor.type == new.tensor.type, old.tensor.shape.dropFirst() == new.tensor.shape.dropFirst(),
            old.tensor.shape.count == new.tensor.shape.count
        else { return result }
        let rows = (rowCount(old.tensor), rowCount(new.tensor))
        // Rows that do not fill whole bytes are compared as one, which may be longer than the other tensor's.
        if rows.0 > 0, rows.1 > 0, old.tensor.byteCount / rows.0 != new.tensor.byteCount / rows.1 { return result }
        result.isPartial = runs != nil
        let compared = (runs ?? [RowRun(old: 0..<min(rows.0, rows.1), new: 0)]).filter { $0.count > 0 }
        result.comparedRows = compared.reduce(0) { $0 + $1.count }
        for run in compared {
            let stored = max(0, min(run.count, rows.0 - run.old.lowerBound, rows.1 - run.new))
            let end = run.old.lowerBound + stored
            if stored > 0 { compare(RowRun(old: run.old.lowerBound..<end, new: run.new), into: &result) }
            if stored == run.count { continue }
            // Rows that were to be the same and are not there.
            result.differentRows += run.count - stored
            result.firstDifference = result.firstDifference ?? .init(old: end, new: run.new + stored)
        }
        return result
    }

    /// Rows that both tensors have.
    private func compare(_ run: RowRun, into result: inout TensorComparison) {
        let size = old.tensor.byteCount / rowCount(old.tensor)
        guard size > 0 else { return }
        // Whole rows, about 8 MiB of them.
        let step = max(1, (1 << 23) / size)
        for first in stride(from: 0, to: run.count, by: step) {
            let count = min(step, run.count - first)
            let (left, right) = (run.old.lowerBound + first, run.new + first)
            old.file.withChunk(of: old.tensor, left * size..<(left + count) * size) { leftBytes in
                new.file.withChunk(of: new.tensor, right * size..<(right + count) * size) { rightBytes in
                    if areEqual(leftBytes, rightBytes) { return }
                    for row in 0..<count {
                        let range = row * size..<(row + 1) * size
                        let rows = (
                            UnsafeRawBufferPointer(rebasing: leftBytes[range]),
                            UnsafeRawBufferPointer(rebasing: rightBytes[range])
                        )
                        if areEqual(rows.0, rows.1) { continue }
                        result.differentRows += 1
                        result.firstDifference = result.firstDifference ?? .init(old: left + row, new: right + row)
                        addDifference(rows.0, rows.1, to: &result)
                    }
                }
            }
        }
    }

    private func addDifference(
        _ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer, to result: inout TensorComparison
    ) {
        guard old.tensor.type.isFloatingPoint else { return }
        let type = old.tensor.type
        for (left, right) in zip(type.floats(left), type.floats(right)) {
            let difference = left == right ? 0 : abs(Double(left) - Double(right))
            let largest = result.largestDifference ?? 0
            result.largestDifference = difference.isNaN || largest.isNaN ? .nan : max(largest, difference)
        }
    }
}

/// A tensor of no dimensions, or with rows that do not fill whole bytes, counts as one row.
private func rowCount(_ tensor: TensorInfo) -> Int {
    guard let rows = tensor.shape.first else { return 1 }
    return rows == 0 || tensor.byteCount % rows == 0 ? rows : 1
}

private func areEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
    guard let first = left.baseAddress, let second = right.baseAddress else { return left.count == right.count }
    return left.count == right.count && memcmp(first, second, left.count) == 0
}
