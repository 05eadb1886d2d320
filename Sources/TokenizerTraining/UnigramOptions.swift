/// What spm_train's flags set besides the specifications: nothing of it is written to the model.
public struct UnigramOptions: Sendable, Equatable {
    /// Of the draws of `input_sentence_size`, for every kind of model.
    public var randomSeed: UInt32 = .max
    /// Prunes by an L1 penalty instead of by loss.
    public var usesSparsePruning = false
    /// Estimates the scores anew, without the penalty, after sparse pruning.
    public var removesPenaltyBias = true
    /// A seed piece's score is its frequency times its length to this power.
    public var seedPieceLengthPower: Float = 1
    /// Seed pieces are at least alpha * N / (K ln K) frequent.
    public var minimumFrequencyAlpha: Float = 0

    public init() {}
}
