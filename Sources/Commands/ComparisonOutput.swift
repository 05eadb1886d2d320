import Checkpoints
import OrderedJSON
import Safetensors

/// One line for what is the same and one for each thing that is not.
func comparisonText(_ comparison: CheckpointComparison) -> String {
    let same = comparison.tensors.filter(\.isSame)
    var lines = ["\(same.count) tensors are the same"]
    for tensor in same where tensor.isPartial {
        lines.append("\(tensor.name): the \(tensor.comparedRows ?? 0) expected rows are the same")
    }
    lines += comparison.changed.map { "\($0.name): \(changeText($0))" }
    lines += comparison.missing.map { "\($0): missing from the second" }
    lines += comparison.added.map { "\($0): only in the second" }
    lines += comparison.config.map { difference in
        "config.json: \(difference.key) should be \(text(difference.expected)), is \(text(difference.found))"
    }
    lines.append(comparison.isSame ? "all is as it should be" : "they differ")
    return lines.joined(separator: "\n")
}

private func text(_ value: JSONValue?) -> String { value?.text(.line) ?? "absent" }

private func changeText(_ tensor: TensorComparison) -> String {
    guard let compared = tensor.comparedRows else {
        return "is \(tensor.new.type.rawValue) \(tensor.new.shape), was \(tensor.old.type.rawValue) \(tensor.old.shape)"
    }
    var parts: [String] = []
    if tensor.old.shape != tensor.new.shape { parts.append("shape \(tensor.new.shape), was \(tensor.old.shape)") }
    if let first = tensor.firstDifference {
        parts.append("\(tensor.differentRows) of \(compared) rows differ, the first is \(rowText(first))")
    }
    if let largest = tensor.largestDifference { parts.append("largest difference \(largest)") }
    return parts.joined(separator: "; ")
}

private func rowText(_ row: TensorComparison.RowPair) -> String {
    row.old == row.new ? "row \(row.old)" : "row \(row.old), now row \(row.new)"
}

/// The same as JSON.
func comparisonJSON(_ comparison: CheckpointComparison) -> JSONValue {
    [
        "same": .bool(comparison.isSame),
        "same_tensors": .strings(comparison.tensors.filter(\.isSame).map(\.name)),
        "changed": .array(comparison.changed.map(changeJSON)),
        "missing": .strings(comparison.missing), "added": .strings(comparison.added),
        "config": .array(
            comparison.config.map {
                ["key": .string($0.key), "expected": $0.expected ?? .null, "found": $0.found ?? .null]
            }),
    ]
}

private func changeJSON(_ tensor: TensorComparison) -> JSONValue {
    func shape(_ plan: TensorPlan) -> JSONValue { .array(plan.shape.map { .integer($0) }) }
    func number(_ value: Int?) -> JSONValue { value.map { .integer($0) } ?? .null }
    let largest = tensor.largestDifference.flatMap { $0.isFinite ? $0 : nil }
    return [
        "name": .string(tensor.name), "old_type": .string(tensor.old.type.rawValue), "old_shape": shape(tensor.old),
        "new_type": .string(tensor.new.type.rawValue), "new_shape": shape(tensor.new),
        "compared_rows": number(tensor.comparedRows), "different_rows": .integer(tensor.differentRows),
        "first_old_row": number(tensor.firstDifference?.old), "first_new_row": number(tensor.firstDifference?.new),
        "largest_difference": largest.map { .double($0) } ?? .null,
    ]
}
