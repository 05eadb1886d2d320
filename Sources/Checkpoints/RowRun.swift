/// Rows that stand one after the other in two matrices.
public struct RowRun: Sendable, Equatable {
    public var old: Range<Int>
    /// Where the first of them is in the new matrix.
    public var new: Int

    public init(old: Range<Int>, new: Int) {
        self.old = old
        self.new = new
    }

    public var count: Int { old.count }
    public var newRows: Range<Int> { new..<new + old.count }
}
