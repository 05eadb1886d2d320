import Partitioning

extension Tokenizer {
    /// The ids of each text, in order, found on up to `threads` cores (all of them unless said otherwise).
    ///
    /// The result does not depend on the number of cores.
    public func encodeBatch(
        _ texts: [String], options: EncodingOptions = [], threads: Int? = nil
    ) -> [[PieceID]] {
        map(texts, threads: threads) { encode($0, options: options) }
    }

    /// The text of each list of ids, in order, on up to `threads` cores.
    ///
    /// - Throws: `TokenizerError.idOutOfRange` for the first list with an id that the vocabulary does not hold.
    public func decodeBatch(_ lists: [[PieceID]], threads: Int? = nil) throws -> [String] {
        let results = map(lists, threads: threads) { ids in Result { try decode(ids) } }
        return try results.map { try $0.get() }
    }

    private func map<Item: Sendable, Output: Sendable>(
        _ items: [Item], threads: Int?, _ body: @Sendable (Item) -> Output
    ) -> [Output] {
        let threads = max(1, threads ?? availableProcessors)
        // Several parts for each core, so that uneven ones balance.
        let parts = partitions(of: items.count, into: threads == 1 ? 1 : threads * 8)
        let results = concurrentValues(count: parts.count, threads: threads) { part in
            items[parts[part]].map(body)
        }
        return results.flatMap { $0 }
    }
}
