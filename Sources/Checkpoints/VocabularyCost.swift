/// What the entries of a vocabulary cost a model of the LLaMA family.
public struct VocabularyCost: Sendable, Equatable {
    /// Numbers in the rows of one entry: of the input embedding, and of the LM head unless that is the same matrix.
    public let parametersPerEntry: Int
    /// Numbers in all other tensors.
    public let otherParameters: Int
    private let width: Int

    /// - Throws: `CheckpointError` if the config is of another family or its sizes do not fit together.
    public init(_ config: ModelConfig) throws {
        let layout = try LlamaLayout(config)
        width = try config.positiveInt("hidden_size")
        parametersPerEntry = try config.tiesWordEmbeddings ? width : 2 * width
        otherParameters = try layout.parameterCount - parametersPerEntry * config.vocabularySize
    }

    /// Numbers in the whole model with so many entries.
    public func parameters(entries: Int) -> Int { otherParameters + entries * parametersPerEntry }

    /// Bytes of AdamW's two moments, in float32, while the rows of so many entries train.
    public func optimizerBytes(entries: Int) -> Int { 8 * entries * parametersPerEntry }

    /// The weights that one token is multiplied by on the way forward: all but the input embedding, of which it takes a
    /// row.
    public func weightsPerToken(entries: Int) -> Int { otherParameters + entries * width }

    /// What a token takes with so many entries, where one with `base` entries takes 1.
    public func ratio(of entries: Int, to base: Int) -> Double {
        Double(weightsPerToken(entries: entries)) / Double(weightsPerToken(entries: base))
    }
}
