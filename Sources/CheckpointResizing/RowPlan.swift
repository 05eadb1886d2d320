public import Checkpoints
import VocabularyMerging

/// Which rows of a matrix go where when its vocabulary changes, and which start anew.
public struct RowPlan: Sendable, Equatable {
    public let oldRows: Int
    /// Entries of the new tokenizer, with the tokens added beside its model; the rows after them are padding.
    public let entries: Int
    public let newRows: Int
    /// Old rows that keep their bits, run by run, by their old places.
    public let kept: [RowRun]
    /// Rows that start anew, by their places.
    public let fresh: [Range<Int>]
    /// Old rows that no entry stood for and that an entry has now: they start anew.
    public let reusedPadding: Int

    /// Old rows that are in the result no longer.
    public var droppedRows: Int { oldRows - kept.reduce(0) { $0 + $1.count } - reusedPadding }
    public var freshRows: Int { fresh.reduce(0) { $0 + $1.count } }
    /// Rows that no entry stands for.
    public var padding: Int { newRows - entries }

    /// The row from which on all are fresh or padding, or nil if old ones come after fresh ones or none is fresh.
    public var firstFreshRow: Int? {
        guard let first = fresh.first?.lowerBound, first < entries else { return nil }
        return kept.allSatisfy { $0.newRows.upperBound <= first || $0.newRows.lowerBound >= entries } ? first : nil
    }

    /// More entries after those there are.
    ///
    /// - Parameters:
    ///   - oldEntries: Entries of the old tokenizer. Rows beyond them are padding; new entries take their places.
    ///   - multiple: What the new number of rows is to be a multiple of.
    init(oldRows: Int, oldEntries: Int, entries: Int, multiple: Int) throws {
        let newRows = try paddedCount(entries, multiple: multiple)
        let known = min(oldRows, oldEntries)
        // Padding that stays padding keeps its bits.
        let padding = entries..<max(entries, min(oldRows, newRows))
        kept = [0..<known, padding].filter { !$0.isEmpty }.map { RowRun(old: $0, new: $0.lowerBound) }
        fresh = [known..<entries, padding.upperBound..<newRows].filter { !$0.isEmpty }.joinedWhereTheyMeet()
        reusedPadding = max(0, min(oldRows, entries) - known)
        self.oldRows = oldRows
        self.entries = entries
        self.newRows = newRows
    }

    /// Entries that moved, went and came.
    ///
    /// - Parameter addedEntries: Entries after those of the map, all of which start anew.
    init(oldRows: Int, map: IDMap, addedEntries: Int = 0, multiple: Int) throws {
        let newRows = try paddedCount(map.newEntries + addedEntries, multiple: multiple)
        var runs: [RowRun] = []
        var isTaken = [Bool](repeating: false, count: map.newEntries)
        for (old, new) in map.newIDs.prefix(oldRows).enumerated() {
            guard let new else { continue }
            isTaken[new] = true
            if let last = runs.last, last.old.upperBound == old, last.newRows.upperBound == new {
                runs[runs.count - 1].old = last.old.lowerBound..<old + 1
            } else {
                runs.append(RowRun(old: old..<old + 1, new: new))
            }
        }
        kept = runs
        let gaps = isTaken.indices.filter { !isTaken[$0] }.map { $0..<$0 + 1 }
        fresh = (gaps + [map.newEntries..<newRows]).filter { !$0.isEmpty }.joinedWhereTheyMeet()
        reusedPadding = 0
        self.oldRows = oldRows
        entries = map.newEntries + addedEntries
        self.newRows = newRows
    }
}

/// The next multiple from a number of entries on.
private func paddedCount(_ entries: Int, multiple: Int) throws -> Int {
    precondition(multiple > 0, "a multiple of nothing")
    let (sum, overflow) = entries.addingReportingOverflow(multiple - 1)
    let rows = overflow ? Int.max : sum / multiple * multiple
    // What a config.json may have for a vocab_size.
    guard rows <= 1 << 24 else { throw ResizingError.tooManyRows(entries: entries, multiple: multiple) }
    return rows
}

extension [Range<Int>] {
    /// The same numbers in as few ranges as possible; the ranges are in order.
    fileprivate func joinedWhereTheyMeet() -> Self {
        var result: Self = []
        for range in self {
            if let last = result.last, last.upperBound == range.lowerBound {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
        return result
    }
}
