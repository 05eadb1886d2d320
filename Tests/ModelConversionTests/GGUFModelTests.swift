import Checkpoints
import FileIO
import Foundation
import GGUF
import OrderedJSON
import PieceModel
import Safetensors
import TestSupport
import Testing

@testable import ModelConversion

private func bytes(_ file: GGUFFile, _ tensor: GGUFTensor) -> [UInt8] {
    file.withChunk(of: tensor, 0..<tensor.byteCount) { Array($0) }
}

@Suite struct GGUFModelTests {
    @Test(arguments: ["float32", "bfloat16", "float16"])
    func `a model of plain numbers comes back bit for bit`(_ type: String) throws {
        try withTemporaryDirectory { directory in
            let (model, file, back) = (directory + "/model", directory + "/m.gguf", directory + "/back")
            try writeSmallModel(model, ["dtype": .string(type)])
            try toGGUF(model, file)
            try fromGGUF(file, back)
            let (first, last) = (try Checkpoint(directory: model), try Checkpoint(directory: back))
            #expect(last.contentHash == first.contentHash)
            #expect(last.config["dtype"]?.string == type)
            #expect(last.config["rms_norm_eps"]?.double == 1e-6)
            #expect(last.config["rope_parameters"]?["rope_theta"]?.double == 500_000)
            for key in ["vocab_size", "hidden_size", "num_key_value_heads", "max_position_embeddings"] {
                #expect(last.config[key] == first.config[key])
            }
            let tokenizer = try SentencePieceModel(contentsOf: back + "/tokenizer.model")
            #expect(tokenizer.pieces.map(\.piece) == smallTokenizer().pieces.map(\.piece))
            #expect(tokenizer.pieces.map(\.score) == smallTokenizer().pieces.map(\.score))
            #expect(FileManager.default.fileExists(atPath: back + "/tokenizer.json"))
        }
    }

    @Test func `biases, tied heads and linear positions come back`() throws {
        try withTemporaryDirectory { directory in
            let (model, file, back) = (directory + "/model", directory + "/m.gguf", directory + "/back")
            try writeSmallModel(
                model,
                [
                    "attention_bias": true, "mlp_bias": true, "tie_word_embeddings": true,
                    "rope_scaling": ["type": "linear", "factor": 4.0],
                ])
            // Zero biases would hide a false order.
            try rewrite(model) { tensor, bytes in
                guard tensor.name.hasSuffix(".bias") else { return (TensorPlan(tensor), bytes) }
                return (TensorPlan(tensor), TensorType.float32.bytes((0..<tensor.count).map { Float($0) + 0.5 }))
            }
            try toGGUF(model, file)
            let gguf = try GGUFFile(file)
            #expect(gguf["output.weight"] == nil)
            let bias = try #require(gguf["blk.1.attn_k.bias"])
            #expect(Array(bytes(gguf, bias).prefix(16)) == TensorType.float32.bytes([0.5, 8.5, 1.5, 9.5]))
            try fromGGUF(file, back)
            #expect(try Checkpoint(directory: back).contentHash == Checkpoint(directory: model).contentHash)
            let config = try ModelConfig(contentsOf: back + "/config.json")
            #expect(try config.tiesWordEmbeddings)
            #expect(config["rope_parameters"]?["rope_type"]?.string == "linear")
            #expect(config["rope_parameters"]?["factor"]?.double == 4)
        }
    }

    @Test func `names, shapes and keys are those of llama_cpp's converter`() throws {
        try withTemporaryDirectory { directory in
            let (model, file) = (directory + "/model", directory + "/m.gguf")
            try writeSmallModel(model)
            try toGGUF(model, file, .f16)
            let gguf = try GGUFFile(file)
            #expect(gguf.tensors.first?.name == "token_embd.weight" && gguf.tensors.last?.name == "output.weight")
            #expect(gguf.tensors.count == 21)
            #expect(gguf["blk.1.attn_k.weight"]?.shape == [32, 64])
            #expect(gguf["blk.0.ffn_down.weight"]?.type == .f16)
            #expect(gguf["blk.0.ffn_norm.weight"]?.type == .f32)
            let expected = [
                "block_count": 2, "context_length": 128, "embedding_length": 64, "feed_forward_length": 96,
                "attention.head_count": 4, "attention.head_count_kv": 2, "rope.dimension_count": 16, "vocab_size": 266,
            ]
            for (key, value) in expected { #expect(gguf.header.values["llama." + key]?.int == value) }
            #expect(gguf.header.values["general.architecture"]?.text == "llama")
            #expect(gguf.header.values["general.file_type"]?.int == 1)
            #expect(gguf.header.values["llama.rope.freq_base"]?.double == 500_000)
            #expect(gguf.header.values["llama.attention.layer_norm_rms_epsilon"]?.double == Double(Float(1e-6)))
        }
    }

    @Test(arguments: [GGUFModelType.q8_0, .q4_0])
    func `blocks are the numbers rounded, for any number of threads`(_ type: GGUFModelType) throws {
        try withTemporaryDirectory { directory in
            let (model, file) = (directory + "/model", directory + "/m.gguf")
            try writeSmallModel(model)
            try toGGUF(model, file, type, threads: 1)
            let written = try readFile(file)
            for threads in [2, 5] {
                try toGGUF(model, file, type, threads: threads)
                #expect(try readFile(file) == written)
            }
            let (gguf, checkpoint) = (try GGUFFile(file), try Checkpoint(directory: model))
            let tensor = try #require(gguf["blk.0.ffn_up.weight"])
            let floats = try checkpoint.floats(of: "model.layers.0.mlp.up_proj.weight")
            #expect(floats.withUnsafeBufferPointer { tensor.type.quantize($0) } == bytes(gguf, tensor))
            #expect(gguf["output.weight"]?.type == .q8_0)
            #expect(gguf["token_embd.weight"]?.type == type.tensorType)
            let reader = try GGUFModelReader(contentsOf: file)
            #expect(reader.type == .float32)
            let blocks = reader.dequantized.values.reduce(0, +)
            #expect(blocks == 2 + 2 * 7)
        }
    }

    @Test func `in q4_0 a tied embedding is q8_0, and rows of no whole blocks are f16`() throws {
        try withTemporaryDirectory { directory in
            let (model, file) = (directory + "/model", directory + "/m.gguf")
            try writeSmallModel(model, ["tie_word_embeddings": true, "intermediate_size": 48])
            try toGGUF(model, file, .q4_0)
            let gguf = try GGUFFile(file)
            #expect(gguf["token_embd.weight"]?.type == .q8_0)
            #expect(gguf["blk.0.ffn_down.weight"]?.type == .f16)
            #expect(gguf["blk.0.ffn_up.weight"]?.type == .q4_0)
            let writer = try GGUFModelWriter(Checkpoint(directory: model), type: .q4_0)
            #expect(
                writer.differences == [
                    "2 of 15 matrices are f16, not q4_0: their rows do not fill whole blocks of 32 numbers"
                ])
            #expect(try GGUFModelWriter(Checkpoint(directory: model), type: .f16).differences.isEmpty)
        }
    }

    /// The config.json of the small model's file with other values, once it is a checkpoint again.
    private func config(_ change: (inout [String: GGUFValue]) -> Void) throws -> ModelConfig {
        try withTemporaryDirectory { directory in
            let (model, file, other) = (directory + "/model", directory + "/m.gguf", directory + "/other.gguf")
            try writeSmallModel(model)
            try toGGUF(model, file)
            try rewriteGGUF(file, to: other) { values, _ in change(&values) }
            try fromGGUF(other, directory + "/back")
            return try ModelConfig(contentsOf: directory + "/back/config.json")
        }
    }

    @Test func `positions are scaled as llama_cpp scales them`() throws {
        let (factor, type) = ("llama.rope.scaling.factor", "llama.rope.scaling.type")
        let untyped = try config { $0[factor] = .float(4) }
        #expect(untyped["rope_parameters"]?["rope_type"]?.string == "linear")
        #expect(untyped["rope_parameters"]?["factor"]?.double == 4)
        let old = try config { $0["llama.rope.scale_linear"] = .float(2) }
        #expect(old["rope_parameters"]?["rope_type"]?.string == "linear")
        #expect(old["rope_parameters"]?["factor"]?.double == 2)
        let none = try config {
            $0[factor] = .float(4)
            $0[type] = .string(Array("none".utf8))
        }
        #expect(none["rope_parameters"]?["rope_type"]?.string == "default")
        let whole = try config { $0["llama.rope.scale_linear"] = .float(1) }
        #expect(whole["rope_parameters"]?["rope_type"]?.string == "default")
    }

    @Test func `a chat template, no begin before a text and a pad id come back`() throws {
        try withTemporaryDirectory { directory in
            let (model, file, back) = (directory + "/model", directory + "/m.gguf", directory + "/back")
            try writeSmallModel(model, rows: 272, ["pad_token_id": 270])
            let settings =
                #"{"add_bos_token": false, "add_eos_token": true, "chat_template": "{% if a %}\n\"中\"{% endif %}"}"#
            try writeFile(model + "/tokenizer_config.json", settings.utf8)
            try toGGUF(model, file)
            try fromGGUF(file, back)
            let read = try ModelConfig(contentsOf: back + "/tokenizer_config.json")
            #expect(read["add_bos_token"]?.bool == false && read["add_eos_token"]?.bool == true)
            #expect(read["chat_template"]?.string == "{% if a %}\n\"中\"{% endif %}")
            #expect(read["tokenizer_class"]?.string != nil)
            let json = try JSONValue(parsing: readFile(back + "/tokenizer.json"))
            #expect(json["post_processor"]?["single"]?.array?.first?["Sequence"] != nil)
            #expect(json["post_processor"]?["single"]?.array?.last?["SpecialToken"]?["id"]?.string == "</s>")
            let config = try Checkpoint(directory: back).config
            #expect(config["pad_token_id"]?.int == 270)
            #expect(config["bos_token_id"]?.int == 1 && config["eos_token_id"]?.int == 2)
        }
    }

    @Test func `ids of config_json that the file cannot hold are told of`() throws {
        try withTemporaryDirectory { directory in
            let model = directory + "/model"
            try writeSmallModel(
                model, ["bos_token_id": 1, "eos_token_id": [2, 128_001], "pad_token_id": 266])
            let differences = try GGUFModelWriter(Checkpoint(directory: model), type: nil).differences
            #expect(differences.count == 2)
            #expect(differences.first?.hasPrefix("config.json's eos_token_id [") == true)
            #expect(differences.first?.contains("128001] becomes 2, the one id that the file holds") == true)
            #expect(differences.last == "config.json's pad_token_id 266 is left out: no row has it")
        }
    }

    @Test func `norms that a narrow type would round stay float32`() throws {
        try withTemporaryDirectory { directory in
            let (model, file, back) = (directory + "/model", directory + "/m.gguf", directory + "/back")
            try writeSmallModel(model)
            try rewrite(model) { tensor, bytes in
                guard tensor.name == TensorNames.finalNorm else { return (TensorPlan(tensor), bytes) }
                return (TensorPlan(tensor), TensorType.float32.bytes(repeatElement(0.1, count: tensor.count)))
            }
            try toGGUF(model, file, .f16)
            try fromGGUF(file, back)
            let checkpoint = try Checkpoint(directory: back)
            #expect(checkpoint[TensorNames.finalNorm]?.type == .float32)
            #expect(checkpoint["model.layers.0.input_layernorm.weight"]?.type == .float16)
            #expect(try checkpoint.floats(of: TensorNames.finalNorm).allSatisfy { $0 == 0.1 })
        }
    }

    @Test func `rows beyond the tokenizer are unused entries, and go again`() throws {
        try withTemporaryDirectory { directory in
            let (model, file, back) = (directory + "/model", directory + "/m.gguf", directory + "/back")
            try writeSmallModel(model, rows: 272)
            try writeFile(model + "/added_tokens.json", #"{"<pad>": 267}"#.utf8)
            let settings =
                #"{"pad_token": "<pad>", "add_eos_token": true, "added_tokens_decoder": {"#
                + #""1": {"content": "<s>", "special": true}, "266": {"content": "<sep>", "special": true}}}"#
            try writeFile(model + "/tokenizer_config.json", settings.utf8)
            try toGGUF(model, file)
            let values = try GGUFFile(file).header.values
            guard case .strings(let tokens)? = values["tokenizer.ggml.tokens"],
                case .integers(let types)? = values["tokenizer.ggml.token_type"],
                case .floats(let scores)? = values["tokenizer.ggml.scores"]
            else { throw ConversionError.noVocabulary(path: file) }
            let texts = tokens.map { String(decoding: $0, as: UTF8.self) }
            #expect(texts.dropFirst(266) == ["<sep>", "<pad>", "[PAD268]", "[PAD269]", "[PAD270]", "[PAD271]"])
            #expect(Array(types.dropFirst(266)) == [3, 4, 5, 5, 5, 5])
            let last: [Float] = [-1000, -1000, -10_000, -10_000, -10_000, -10_000]
            #expect(Array(scores.dropFirst(266)) == last)
            #expect(types[1] == 3 && scores[1] == 0)
            #expect(values["tokenizer.ggml.padding_token_id"]?.int == 267)
            #expect(values["tokenizer.ggml.add_eos_token"] == .bool(true))
            try fromGGUF(file, back)
            #expect(try SentencePieceModel(contentsOf: back + "/tokenizer.model").pieces.count == 268)
            #expect(try Checkpoint(directory: back).config.vocabularySize == 272)
        }
    }
}
