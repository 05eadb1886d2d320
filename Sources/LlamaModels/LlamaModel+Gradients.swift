internal import Torch

extension LlamaModel {
    /// Adds `scale` times the gradient of the batch's `lossSum` in training to those of the trainable parameters.
    ///
    /// - Parameters:
    ///   - seed: Decides, alone, what is dropped: give each micro-batch its own.
    ///   - isComplete: Told of a trainable parameter, by its place, as soon as nothing more is added to its gradient, from
    ///     the last layer to the first; those of which it is not told are complete in the end.
    /// - Returns: The sum itself, not scaled.
    public func accumulateGradients(
        _ batch: TokenBatch, scale: Float, seed: UInt64, isComplete: ((Int) -> Void)? = nil
    ) throws -> Float {
        guard let isComplete else { return try addGradients(batch, scale: scale, seed: seed) }
        // The embedding's comes last, and in several parts where it is the head too.
        let places = trainableParameters.indices.filter { trainableParameters[$0].tensor !== embedding.trainedRows }
        return try watchingGradients(
            of: places.map { trainableParameters[$0].tensor }, added: { isComplete(places[$0]) }
        ) {
            try addGradients(batch, scale: scale, seed: seed)
        }
    }

    private func addGradients(_ batch: TokenBatch, scale: Float, seed: UInt64) throws -> Float {
        if checkpointsActivations { return try recomputeGradients(batch, scale: scale, seed: seed) }
        let loss = try lossSum(batch, training: true, seed: seed)
        try backward(loss, scale: scale)
        return try loss.scalar()
    }

    /// `accumulateGradients` with each layer run twice: once to find the next one's input, and once more, from the last
    /// layer to the first, for its gradients.
    private func recomputeGradients(_ batch: TokenBatch, scale: Float, seed: UInt64) throws -> Float {
        let earlier = try takeTiedGradient()
        let context = try layerContext(batch, dropout: seed)
        let embedded = try embeddedTokens(batch)
        var inputs = [try embedded.detached()]
        try withoutGradients {
            for layer in layers { inputs.append(try layer(inputs[inputs.count - 1], context)) }
        }
        let last = inputs.removeLast()
        var (loss, gradient) = try headGradient(last, batch, scale: scale)
        for (index, layer) in layers.enumerated().reversed() {
            // What trains lies in every layer or in none: only the first layer may have nothing that trains below it.
            let input = inputs.removeLast()
            try input.setRequiresGradient(index > 0 || embedded.requiresGradient)
            if let known = gradient { try layer(input, context).backward(from: known) }
            gradient = try input.gradient()
        }
        if embedded.requiresGradient, let gradient { try embedded.backward(from: gradient) }
        if let earlier { try embedding.trainedRows?.addGradient(earlier) }
        return loss
    }

    /// The loss of what the last layer gives, [N, D], and its scaled gradient there.
    private func headGradient(_ x: Tensor, _ batch: TokenBatch, scale: Float) throws -> (Float, Tensor?) {
        try x.setRequiresGradient(true)
        let loss = try lossSum(of: normed(x), batch)
        try backward(loss, scale: scale)
        return (try loss.scalar(), try x.gradient())
    }

    /// Takes the gradient of a tied embedding out of it.
    ///
    /// One pass of autograd adds up what comes from the head and from the embedding before it adds that to what is there
    /// already; floats keep their bits only in the same order.
    private func takeTiedGradient() throws -> Tensor? {
        guard untiedHead == nil, let rows = embedding.trainedRows else { return nil }
        let gradient = try rows.gradient()
        try rows.clearGradient()
        return gradient
    }
}
