/// How the rows of new entries start.
public enum RowInitialization: String, Sendable, CaseIterable {
    /// Each new row is the mean of all old rows.
    case mean
    /// Each new row is the mean of the rows of the pieces that the old tokenizer makes of the new piece's text.
    case subwordMean = "subword-mean"
    /// Each number of a new row is drawn from a normal distribution with its column's mean and deviation in the old rows.
    case normal
}
