internal import Checkpoints
internal import Safetensors
internal import Torch

extension LlamaModel {
    /// Gives the model rows after those that its checkpoint stores, in place of any that it was given before: computes as
    /// if the checkpoint had them.
    ///
    /// - Parameters:
    ///   - input: Bytes of the new rows [N, D] of the input embedding, in the type that its stored ones have.
    ///   - head: Those of the LM head; nil where the embedding takes its place.
    public func appendRows(input: [UInt8], head: [UInt8]?) throws {
        precondition((head == nil) == configuration.tiesWordEmbeddings, "rows for a head that the model does not have")
        let embedding = try extended("model.embed_tokens.weight", by: input)
        untiedHead = try head.map { try extended("lm_head.weight", by: $0) }
        self.embedding = embedding
        configuration.vocabularySize = embedding.shape[0]
    }

    private func extended(_ name: String, by bytes: [UInt8]) throws -> VocabularyMatrix {
        let shape = try reader.checkpoint.matrix(name).shape
        let stored = try reader.readStored(name, shape)
        let count = bytes.count / (shape[1] * stored.element.size)
        let rows = try bytes.withUnsafeBytes {
            try Tensor(copying: $0, element: stored.element, shape: [count, shape[1]])
        }
        return try VocabularyMatrix(stored.concatenated(with: rows), computation)
    }
}
