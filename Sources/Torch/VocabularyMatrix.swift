internal import CTorch

/// A matrix [V, D] with one row per vocabulary entry, of which some last rows may be trained.
///
/// Frozen rows stay where and as they are (mapped from a file, in any element type), and stand where a `Computation` wants
/// them besides; trained ones are float32 in memory of their own.
public struct VocabularyMatrix {
    /// All rows as they were before training; where all of them train, the trained ones.
    private let stored: Tensor
    /// The same as they are computed with.
    private let frozen: Tensor
    /// The trained rows [V - firstRow, D], a leaf; nil where the matrix is frozen.
    public let trainedRows: Tensor?
    /// The first trained row; V where none is.
    public let firstRow: Int

    /// A frozen matrix.
    public init(_ weight: Tensor, _ computation: Computation = .standard) throws(TorchError) {
        stored = weight
        frozen = try computation.placed(weight)
        trainedRows = nil
        firstRow = weight.shape[0]
    }

    /// A matrix that is trained from `firstRow` on.
    public init(training weight: Tensor, from firstRow: Int = 0) throws(TorchError) {
        try self.init(training: VocabularyMatrix(weight), from: firstRow)
    }

    /// A frozen matrix, from now on trained from `firstRow` on.
    public init(training matrix: VocabularyMatrix, from firstRow: Int = 0) throws(TorchError) {
        precondition(matrix.trainedRows == nil, "the matrix is being trained already")
        let count = matrix.shape[0] - firstRow
        let rows = try matrix.stored.narrowed(start: firstRow, length: count)
            .copied(as: .float32, on: matrix.frozen.device)
        // Where no row is frozen, none needs to be kept beside the trained ones.
        stored = try firstRow == 0 ? rows.detached() : matrix.stored
        frozen = firstRow == 0 ? stored : matrix.frozen
        self.firstRow = firstRow
        try rows.setRequiresGradient(true)
        trainedRows = rows
    }

    public var shape: [Int] { stored.shape }

    /// All rows as they are now, outside of autograd; a copy where some, but not all, are trained.
    public var weight: Tensor {
        get throws(TorchError) {
            guard let trained = try trainedRows?.detached() else { return stored }
            if firstRow == 0 { return trained }
            return try stored.narrowed(start: 0, length: firstRow).converted(to: .float32)
                .concatenated(with: trained.converted(on: stored.device))
        }
    }

    /// The logits [N, V] of hidden [N, D].
    public func logits(_ hidden: Tensor) throws(TorchError) -> Tensor {
        guard let trainedRows else { return try hidden.linear(frozen) }
        let trained = try hidden.linear(trainedRows)
        if firstRow == 0 { return trained }
        let frozen = try hidden.linear(frozen.narrowed(start: 0, length: firstRow))
        return try frozen.concatenated(with: trained, dimension: 1)
    }

    /// The rows [N, D] of int64 ids [N].
    public func rows(_ ids: Tensor) throws(TorchError) -> Tensor {
        try produce("embedding") {
            kuoci_embedding(ids.handle, frozen.handle, trainedRows?.handle, Int64(firstRow), $0)
        }
    }

    /// The sum over `targets` [N] of the cross-entropy of hidden [N, D] times the transposed matrix; a negative target
    /// has no loss.
    ///
    /// Never holds more than `chunk` rows of logits at a time.
    public func crossEntropySum(hidden: Tensor, targets: Tensor, chunk: Int) throws(TorchError) -> Tensor {
        try produce("cross-entropy") {
            kuoci_linear_cross_entropy(
                hidden.handle, frozen.handle, trainedRows?.handle, Int64(firstRow), targets.handle, Int64(chunk), $0)
        }
    }
}
