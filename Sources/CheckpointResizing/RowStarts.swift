/// How the rows of new entries start on the side of the input embedding and on that of the LM head.
public struct RowStarts: Sendable, Equatable {
    public var input: RowInitialization
    public var head: RowInitialization
    public var norm: RowNorm
    /// What the deviations of rows that are drawn are multiplied with; at least 0.
    public var spread: Double
    /// Decides, with an entry's id alone, what is drawn for it: the same on both sides.
    public var seed: UInt64
    /// The files that `neighbours` learns from, .txt or .jsonl, packed or not.
    public var texts: [String]

    public init(
        input: RowInitialization, head: RowInitialization, norm: RowNorm = .keep, spread: Double = 1, seed: UInt64 = 0,
        texts: [String] = []
    ) {
        self.input = input
        self.head = head
        self.norm = norm
        self.spread = spread
        self.seed = seed
        self.texts = texts
    }

    /// The same way on both sides.
    public init(_ initialization: RowInitialization, norm: RowNorm = .keep, seed: UInt64 = 0, texts: [String] = []) {
        self.init(input: initialization, head: initialization, norm: norm, seed: seed, texts: texts)
    }

    var both: [RowInitialization] { [input, head] }
}
