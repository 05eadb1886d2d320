import CheckpointResizing
import Checkpoints
import Foundation

/// Shapes, numbers and bytes before and after.
func estimateTable(_ estimate: ResizeEstimate) -> String {
    return alignedTable(
        [["", "old", "new"]] + estimate.matrices.map { [$0.name, "\($0.old)", "\($0.new)"] } + [
            ["parameters", "\(estimate.oldParameters)", "\(estimate.newParameters)"],
            ["bytes of tensors", "\(estimate.oldBytes)", "\(estimate.newBytes)"],
        ])
}

/// What becomes of the rows, as far as it is not plain.
func rowLines(_ rows: RowPlan) -> [String] {
    var lines = ["\(rows.freshRows) rows start anew"]
    if rows.reusedPadding > 0 {
        lines.append(
            "\(rows.reusedPadding) of them take the place of padding: the model had more rows than its tokenizer has entries"
        )
    }
    if rows.droppedRows > 0 { lines.append("\(rows.droppedRows) old rows are dropped") }
    if rows.padding > 0 {
        lines.append("\(rows.padding) rows are padding, beyond the tokenizer's \(rows.entries) entries")
    }
    return lines
}

/// How many weight files became links, which the file system and what they hold decide.
func linkLine(_ count: Int, of checkpoint: Checkpoint) -> String {
    let why = count > 0 ? "" : ": each holds a matrix that changes, or the file system cannot link it"
    return "\(count) of \(checkpoint.shards.count) weight files linked\(why)"
}

/// The path, or the nearest directory above it that is there.
func nearestDirectory(_ path: String) -> String {
    var path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
    while !path.isEmpty, path != "/", !FileManager.default.fileExists(atPath: path) {
        path = (path as NSString).deletingLastPathComponent
    }
    return path.isEmpty ? "/" : path
}
