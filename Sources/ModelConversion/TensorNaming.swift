import Checkpoints

/// The names that llama.cpp gives the tensors of a LLaMA-family model, for those of Hugging Face.
enum TensorNaming {
    static let embedding = "token_embd.weight"
    static let head = "output.weight"

    private static let outside = [
        TensorNames.embedding: embedding, TensorNames.finalNorm: "output_norm.weight", TensorNames.head: head,
    ]
    /// The parts of a layer, without `.weight` and `.bias`.
    private static let parts = [
        "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
        "self_attn.o_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
        "mlp.down_proj": "ffn_down", "input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm",
    ]

    /// llama.cpp's name, such as `blk.3.attn_q.weight` for `model.layers.3.self_attn.q_proj.weight`; nil for a tensor
    /// that it has none for.
    static func ggufName(of name: String) -> String? {
        if let name = outside[name] { return name }
        let words = name.split(separator: ".", omittingEmptySubsequences: false)
        guard words.count > 4, words[0] == "model", words[1] == "layers", let layer = Int(words[2]),
            let part = parts[words[3..<words.count - 1].joined(separator: ".")]
        else { return nil }
        return "blk.\(layer).\(part).\(words[words.count - 1])"
    }

    /// Old checkpoints hold what follows from config.json alone; no format needs it.
    static func isRedundant(_ name: String) -> Bool {
        name.hasSuffix(".rotary_emb.inv_freq")
    }
}
