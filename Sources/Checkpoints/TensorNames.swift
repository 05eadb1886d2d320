/// The names that Hugging Face gives the tensors of a LLaMA-family model.
public enum TensorNames {
    /// [vocabulary, hidden].
    public static let embedding = "model.embed_tokens.weight"
    /// [vocabulary, hidden]; absent where the embedding takes its place.
    public static let head = "lm_head.weight"
    /// [hidden].
    public static let finalNorm = "model.norm.weight"

    /// The name of a layer's tensor, such as `model.layers.3.mlp.up_proj.weight`.
    public static func layer(_ index: Int, _ name: String) -> String {
        "model.layers.\(index).\(name)"
    }
}
