/// How the rows of new entries start.
public enum RowInitialization: String, Sendable, CaseIterable {
    /// Each new row is zero.
    case zero
    /// Each number of a new row is drawn from a normal distribution with its column's mean and deviation in the old rows.
    case normal
    /// Each new row is the mean of all old rows.
    case mean
    /// Each new row is drawn from the normal distribution with the old rows' mean and covariance matrix.
    ///
    /// transformers' `mean_resizing` draws from 10^-9 times that covariance: a spread of 3.2e-5.
    case covariance
    /// Each new row is the mean of the rows of the pieces that the old tokenizer makes of the new piece's text.
    case subwordMean = "subword-mean"
    /// The input row is that of the last of those pieces, the head's row that of the first: what is read last is what
    /// stands before the next token, what is predicted first is where the new piece begins. A row that serves both sides
    /// is the mean of the two.
    case subwordFirstLast = "subword-first-last"
    /// As `normal`, with the mean and deviation of the old rows whose pieces are of the new piece's script.
    case script
    /// A mixture of the rows of the old pieces that stand in the most similar surroundings in a text.
    case neighbours

    /// Whether it looks at the pieces of old and new tokenizer.
    public var needsPieces: Bool {
        switch self {
        case .zero, .normal, .mean, .covariance: false
        case .subwordMean, .subwordFirstLast, .script, .neighbours: true
        }
    }
}

/// What becomes of the norm of a new row.
public enum RowNorm: String, Sendable, CaseIterable {
    /// It stays as the row comes.
    case keep
    /// The row is scaled until its norm is the mean of the old rows' norms; a row of zeros stays.
    case match
}
