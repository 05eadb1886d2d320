public import Torch

/// Tokens of one sequence that follow those in its cache.
public struct Continuation {
    public var tokens: [Int32]
    public var cache: KeyValueCache

    public init(_ tokens: [Int32], _ cache: KeyValueCache) {
        self.tokens = tokens
        self.cache = cache
    }
}

extension LlamaModel {
    /// The logits [S, V], in float32, after the last token of each of S sequences, whose caches then hold the new tokens.
    ///
    /// Equal to those of `logits` over the whole sequences, up to rounding in attention. Sequences do not see one another,
    /// and may have any number of new tokens.
    /// - Throws: `LlamaModelError.badBatch` for tokens that the model does not know or a cache has no room for.
    public func logits(continuing sequences: [Continuation]) throws -> Tensor {
        try check(sequences)
        return try withoutGradients {
            var start = 0
            let parts = try sequences.map { sequence in
                defer { start += sequence.tokens.count }
                return try CachedPart(sequence.cache, start: start, count: sequence.tokens.count)
            }
            let x = try finalStates(sequences, parts)
            for part in parts { part.cache.count += part.count }
            let last = try parts.map { try x.narrowed(start: $0.start + $0.count - 1, length: 1) }
            return try head.logits(normed(joined(last))).converted(to: .float32)
        }
    }

    /// What the last layer gives for every new token, [N, D], before the final norm.
    private func finalStates(_ sequences: [Continuation], _ parts: [CachedPart]) throws -> Tensor {
        let tokens = sequences.flatMap(\.tokens)
        let positions = sequences.flatMap { sequence in
            sequence.tokens.indices.map { Int32(sequence.cache.count + $0) }
        }
        let context = DecoderLayer.Context(
            batchSize: 1, blockSize: tokens.count, headWidth: configuration.headWidth,
            normEpsilon: configuration.normEpsilon, element: computation.precision.element,
            rotary: try RotaryTable(
                positions: ids(positions, shape: [tokens.count]), width: configuration.headWidth,
                base: configuration.rotaryBase),
            documents: nil, mask: nil, dropout: nil)
        var x = try embedding.rows(ids(tokens, shape: [tokens.count]))
        for (index, layer) in layers.enumerated() { x = try layer.continuing(x, context, parts, index: index) }
        return x
    }

    private func check(_ sequences: [Continuation]) throws(LlamaModelError) {
        guard !sequences.isEmpty, sequences.allSatisfy({ !$0.tokens.isEmpty }) else {
            throw .badBatch(reason: "a sequence has no new token")
        }
        guard Set(sequences.map { ObjectIdentifier($0.cache) }).count == sequences.count else {
            throw .badBatch(reason: "two sequences share a cache")
        }
        for sequence in sequences {
            let vocabulary = configuration.vocabularySize
            for id in sequence.tokens where id < 0 || id >= vocabulary {
                throw .badBatch(reason: "the token id \(id) is not below the vocabulary's size of \(vocabulary)")
            }
            guard sequence.tokens.count <= sequence.cache.capacity - sequence.cache.count else {
                throw .badBatch(
                    reason: "a cache of \(sequence.cache.capacity) tokens that holds \(sequence.cache.count) "
                        + "has no room for \(sequence.tokens.count) more")
            }
        }
        let longest = sequences.map { $0.cache.count + $0.tokens.count }.max() ?? 0
        if let window = configuration.slidingWindow, longest > window {
            throw .badBatch(reason: "a sequence of \(longest) tokens exceeds the sliding window of \(window)")
        }
    }
}

extension DecoderLayer {
    /// The layer on new tokens of cached sequences.  x [N, D] -> [N, D]
    fileprivate func continuing(
        _ x: Tensor, _ context: Context, _ parts: [CachedPart], index: Int
    ) throws -> Tensor {
        let normed = try x.rmsNorm(attentionNorm, epsilon: context.normEpsilon, as: context.element)
        let queries = try query(normed, dropout: nil).rotated(context.rotary)
        let keys = try key(normed, dropout: nil).rotated(context.rotary)
        let values = try value(normed, dropout: nil)
        let attended = try joined(
            parts.map {
                try $0.attention(
                    layer: index, queries: queries, keys: keys, values: values, headWidth: context.headWidth)
            })
        return try feedForward(x.adding(output(attended, dropout: nil)), context)
    }
}

/// Rows one after another.
private func joined(_ parts: [Tensor]) throws(TorchError) -> Tensor {
    if parts.count == 1 { return parts[0] }
    let result = try Tensor.zeros(
        [parts.reduce(0) { $0 + $1.shape[0] }, parts[0].shape[1]], parts[0].element, on: parts[0].device)
    var start = 0
    for part in parts {
        try result.narrowed(start: start, length: part.shape[0]).assign(part)
        start += part.shape[0]
    }
    return result
}
