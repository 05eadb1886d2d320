/// Blocks of tokens, each array [B * T] row-major.
public struct TokenBatch: Sendable, Equatable {
    /// B.
    public var batchSize: Int
    /// T.
    public var blockSize: Int
    public var tokens: [Int32]
    /// The token to predict at each place; -1 where there is no loss.
    public var targets: [Int32]
    /// Positions within the documents.
    public var positions: [Int32]
    /// The number of each token's document within its block; a document's tokens stand together.
    public var documents: [Int32]

    public init(
        batchSize: Int, blockSize: Int, tokens: [Int32], targets: [Int32], positions: [Int32], documents: [Int32]
    ) {
        self.batchSize = batchSize
        self.blockSize = blockSize
        self.tokens = tokens
        self.targets = targets
        self.positions = positions
        self.documents = documents
    }

    /// One document per block: positions count from zero, and each token's target is the next one's id.
    public init(blocks: [[Int32]]) {
        let length = blocks.first?.count ?? 0
        precondition(blocks.allSatisfy { $0.count == length }, "blocks of different lengths")
        self.init(
            batchSize: blocks.count, blockSize: length, tokens: blocks.flatMap { $0 },
            targets: blocks.flatMap { $0.dropFirst() + [-1] },
            positions: blocks.flatMap { $0.indices.map { Int32($0) } },
            documents: [Int32](repeating: 0, count: blocks.count * length))
    }

    /// Targets that have a loss.
    public var targetCount: Int { targets.count { $0 >= 0 } }

    /// Whether some block holds more than one document.
    var hasSeveralDocuments: Bool {
        (0..<batchSize).contains { documents[$0 * blockSize] != documents[($0 + 1) * blockSize - 1] }
    }

    /// - Throws: `LlamaModelError.badBatch` unless the batch can be run.
    func check(_ configuration: LlamaConfiguration) throws(LlamaModelError) {
        let (count, overflow) = batchSize.multipliedReportingOverflow(by: blockSize)
        guard !overflow, batchSize > 0, blockSize > 0 else { throw .badBatch(reason: "it is empty") }
        guard [tokens.count, targets.count, positions.count, documents.count].allSatisfy({ $0 == count }) else {
            throw .badBatch(reason: "its arrays do not all have \(batchSize) * \(blockSize) elements")
        }
        let vocabulary = Int32(clamping: configuration.vocabularySize)
        for id in tokens where id < 0 || id >= vocabulary {
            throw .badBatch(reason: "the token id \(id) is not below the vocabulary's size of \(vocabulary)")
        }
        for id in targets where id >= vocabulary {
            throw .badBatch(reason: "the target id \(id) is not below the vocabulary's size of \(vocabulary)")
        }
        if let window = configuration.slidingWindow, blockSize > window {
            throw .badBatch(reason: "blocks of \(blockSize) tokens exceed the sliding window of \(window)")
        }
    }
}
