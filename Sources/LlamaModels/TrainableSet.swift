/// What training changes.
public enum TrainableSet: Sendable, Equatable {
    /// Every weight.
    case all
    /// Only rows of the embedding and of the LM head.
    case embeddings(EmbeddingRows = EmbeddingRows())
    /// LoRA factors on the chosen projections, and rows of the embedding and LM head unless `embeddings` is nil.
    case lora(LoRAConfiguration = LoRAConfiguration(), embeddings: EmbeddingRows? = EmbeddingRows())
}

/// Which rows of the embedding and the LM head are trained.
public struct EmbeddingRows: Sendable, Equatable {
    /// The first trained row; the ones before it stay as they are, bit for bit.
    public var firstRow: Int
    /// Whether the LM head is trained too; a tied one always is.
    public var trainsHead: Bool

    public init(firstRow: Int = 0, trainsHead: Bool = true) {
        self.firstRow = firstRow
        self.trainsHead = trainsHead
    }
}

/// A projection that LoRA can be put on; the raw value is its name in Hugging Face checkpoints.
public enum LoRATarget: String, Sendable, CaseIterable {
    case query = "q_proj"
    case key = "k_proj"
    case value = "v_proj"
    case output = "o_proj"
    case gate = "gate_proj"
    case up = "up_proj"
    case down = "down_proj"
}

/// Low-rank adaptation as PEFT does it: x W^T + scaling dropout(x) A^T B^T.
public struct LoRAConfiguration: Sendable, Equatable {
    public var rank: Int
    public var alpha: Double
    public var dropout: Double
    public var targets: [LoRATarget]
    /// Divides alpha by the root of the rank instead of the rank (rsLoRA), so that a higher rank is not scaled away.
    public var usesRankStabilization: Bool

    public init(
        rank: Int = 8, alpha: Double = 32, dropout: Double = 0.05,
        targets: [LoRATarget] = [.query, .key, .value, .output], usesRankStabilization: Bool = false
    ) {
        self.rank = rank
        self.alpha = alpha
        self.dropout = dropout
        self.targets = targets
        self.usesRankStabilization = usesRankStabilization
    }

    public var scaling: Double { alpha / (usesRankStabilization ? Double(rank).squareRoot() : Double(rank)) }

    func check() throws(LlamaModelError) {
        guard rank > 0 else { throw .badTraining(reason: "the LoRA rank is \(rank); it should be positive") }
        guard alpha.isFinite else { throw .badTraining(reason: "the LoRA alpha is not a number") }
        guard (0..<1).contains(dropout) else {
            throw .badTraining(reason: "the LoRA dropout is \(dropout); it should be at least 0 and below 1")
        }
        guard !targets.isEmpty else { throw .badTraining(reason: "LoRA has no projections to be put on; name some") }
    }
}
