internal import Torch

extension LlamaModel {
    /// Floating-point operations that one token of a training step needs in products of matrices, a multiplication and
    /// an addition counted as two.
    ///
    /// Forward, and of the backward pass what leads to a trained weight; nothing that is computed twice to save memory.
    /// Attention is that of a block which is one document: a token sees (blockSize + 1) / 2 places on average. Several
    /// documents in a block need less.
    public func trainingOperations(blockSize: Int) -> Double {
        // Below the lowest trained weight no gradient is needed; only an embedding or a layer that trains needs any.
        let isBelowTrained = embedding.trainedRows != nil || layers.contains { $0.isTrained }
        let passes = isBelowTrained ? 2.0 : 1.0
        let sum = layers.reduce(0.0) { sum, layer in
            sum + DecoderLayer.projections.reduce(0.0) { $0 + layer[keyPath: $1.path].operations(passes: passes) }
        }
        let places = Double(blockSize + 1) / 2
        // Scores and weighted sums: two products, each with two gradients.
        let attention = 4 * places * Double(configuration.headCount * configuration.headWidth) * (2 * passes - 1)
        let width = Double(configuration.width)
        let trained = Double(head.trainedRows?.shape[0] ?? 0)
        let headOperations = 2 * width * (Double(configuration.vocabularySize) * passes + trained)
        return sum + attention * Double(layers.count) + headOperations
    }
}

extension DecoderLayer {
    fileprivate var isTrained: Bool {
        Self.projections.contains { _, path in
            self[keyPath: path].adapter != nil || self[keyPath: path].weight.requiresGradient
        }
    }
}

extension LinearLayer {
    /// - Parameter passes: 2 with, 1 without the gradient of the input.
    fileprivate func operations(passes: Double) -> Double {
        let shape = weight.shape.map { Double($0) }
        let own = 2 * shape[0] * shape[1] * (passes + (weight.requiresGradient ? 1 : 0))
        guard let adapter else { return own }
        return own + 2 * Double(adapter.down.shape[0]) * (shape[0] + shape[1]) * (passes + 1)
    }
}
