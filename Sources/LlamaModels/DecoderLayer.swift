internal import Torch

// Shapes: B blocks, T tokens each, N = B * T; D width, H query heads, G key and value heads, W head width.

/// One block of the transformer: attention and SwiGLU, each behind an RMSNorm and around a residual.
struct DecoderLayer {
    var attentionNorm: Tensor
    var query: LinearLayer
    var key: LinearLayer
    var value: LinearLayer
    var output: LinearLayer
    var innerNorm: Tensor
    var gate: LinearLayer
    var up: LinearLayer
    var down: LinearLayer

    /// What all layers of a forward pass share.
    struct Context {
        let batchSize: Int
        let blockSize: Int
        let headWidth: Int
        let normEpsilon: Double
        /// What projections and attention are computed in.
        let element: ElementType
        let rotary: RotaryTable
        /// The number of each token's document [B, T]; nil with a cache, whose sequences are taken one by one.
        let documents: Tensor?
        /// Of the documents; nil where each block is one, or attention needs none.
        let mask: Tensor?
        let dropout: UInt64?
    }

    static var projections: [(target: LoRATarget, path: WritableKeyPath<DecoderLayer, LinearLayer>)] {
        [
            (.query, \.query), (.key, \.key), (.value, \.value), (.output, \.output), (.gate, \.gate), (.up, \.up),
            (.down, \.down),
        ]
    }

    init(index: Int, _ configuration: LlamaConfiguration, _ reader: WeightReader) throws {
        let prefix = "model.layers.\(index)"
        let width = configuration.width
        let queryWidth = configuration.headCount * configuration.headWidth
        let keyWidth = configuration.keyValueHeadCount * configuration.headWidth
        func projection(_ name: String, _ output: Int, _ input: Int, hasBias: Bool) throws -> LinearLayer {
            let name = "\(prefix).\(name)"
            return LinearLayer(
                name: name, weight: try reader.readMatrix(name + ".weight", [output, input]),
                bias: hasBias ? try reader.readVector(name + ".bias", output) : nil)
        }
        let hasBias = configuration.hasAttentionBias
        attentionNorm = try reader.readVector("\(prefix).input_layernorm.weight", width)
        query = try projection("self_attn.q_proj", queryWidth, width, hasBias: hasBias)
        key = try projection("self_attn.k_proj", keyWidth, width, hasBias: hasBias)
        value = try projection("self_attn.v_proj", keyWidth, width, hasBias: hasBias)
        output = try projection("self_attn.o_proj", width, queryWidth, hasBias: hasBias)
        innerNorm = try reader.readVector("\(prefix).post_attention_layernorm.weight", width)
        let inner = configuration.innerWidth
        gate = try projection("mlp.gate_proj", inner, width, hasBias: configuration.hasInnerBias)
        up = try projection("mlp.up_proj", inner, width, hasBias: configuration.hasInnerBias)
        down = try projection("mlp.down_proj", width, inner, hasBias: configuration.hasInnerBias)
    }

    /// x [N, D] -> [N, D]
    func callAsFunction(_ x: Tensor, _ context: Context) throws -> Tensor {
        let attended = try attention(
            x.rmsNorm(attentionNorm, epsilon: context.normEpsilon, as: context.element), context)
        return try feedForward(x.adding(attended), context)
    }

    /// The half of the block after attention.  x [N, D] -> [N, D]
    func feedForward(_ x: Tensor, _ context: Context) throws -> Tensor {
        let normed = try x.rmsNorm(innerNorm, epsilon: context.normEpsilon, as: context.element)
        let dropout = context.dropout
        let inner = try gate(normed, dropout: dropout).swiglu(up(normed, dropout: dropout))
        return try x.adding(down(inner, dropout: dropout))
    }

    private func attention(_ x: Tensor, _ context: Context) throws -> Tensor {
        func blocks(_ x: Tensor) throws -> Tensor {
            try x.reshaped([context.batchSize, context.blockSize, x.shape[1]])
        }
        let queries = try blocks(query(x, dropout: context.dropout).rotated(context.rotary))
        let keys = try blocks(key(x, dropout: context.dropout).rotated(context.rotary))
        let values = try blocks(value(x, dropout: context.dropout))
        let attended = try queries.attention(
            keys: keys, values: values, documents: context.documents, mask: context.mask, headWidth: context.headWidth)
        return try output(attended.reshaped([x.shape[0], attended.shape[2]]), dropout: context.dropout)
    }
}
