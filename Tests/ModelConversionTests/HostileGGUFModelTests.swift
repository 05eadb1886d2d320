import FileIO
import Foundation
import GGUF
import TestSupport
import Testing

@testable import ModelConversion

/// What GGUFModelReader says of the small model's file once some bytes of it are others.
private func refusal(_ spoil: (inout [UInt8]) throws -> Void) throws -> String {
    try withTemporaryDirectory { directory in
        let (model, file) = (directory + "/model", directory + "/m.gguf")
        try writeSmallModel(model)
        try toGGUF(model, file)
        var bytes = try readFile(file)
        try spoil(&bytes)
        try writeFile(file, bytes)
        let text = message { try fromGGUF(file, directory + "/back") }
        #expect(text.hasPrefix(file) && text.contains("; ") && !text.contains("\n"), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: directory + "/back"))
        return text
    }
}

/// Puts other bytes, as many, right behind the first place that holds `mark`.
private func put(_ new: [UInt8], behind mark: [UInt8], in bytes: inout [UInt8]) throws {
    let start = try #require((0..<bytes.count - mark.count).first { bytes[$0..<$0 + mark.count].elementsEqual(mark) })
    bytes.replaceSubrange(start + mark.count..<start + mark.count + new.count, with: new)
}

private func key(_ name: String) -> [UInt8] { GGUFBytes.text(name) }

/// What GGUFModelReader says of the small model in q8_0 with other values or tensors.
private func rewrittenRefusal(
    _ change: (inout [String: GGUFValue], inout [(plan: GGUFTensorPlan, bytes: [UInt8])]) -> Void
) throws -> String {
    try withTemporaryDirectory { directory in
        let (model, file, other) = (directory + "/model", directory + "/m.gguf", directory + "/other.gguf")
        try writeSmallModel(model)
        try toGGUF(model, file, .q8_0)
        try rewriteGGUF(file, to: other, change)
        let text = message { try fromGGUF(other, directory + "/back") }
        #expect(text.hasPrefix(other) && text.contains("; ") && !text.contains("\n"), "\(text)")
        #expect(!FileManager.default.fileExists(atPath: directory + "/back"))
        return text
    }
}

@Suite struct HostileGGUFModelTests {
    @Test func `another architecture`() throws {
        #expect(
            try refusal {
                try put(
                    little(UInt32(8)) + GGUFBytes.text("mamba"), behind: key("general.architecture"), in: &$0)
            }.contains("general.architecture \"mamba\""))
    }

    @Test(arguments: [
        ("llama.block_count", UInt32.max, "llama.block_count should be at most 2"),
        ("llama.block_count", 1, "holds the tensor blk.1."),
        ("llama.block_count", 0, "llama.block_count should be a positive whole number"),
        ("llama.attention.head_count", 0, "llama.attention.head_count should be a positive whole number"),
        ("llama.attention.head_count", 8, "tensor blk.0.attn_q.weight has shape [64, 64]"),
        (
            "llama.attention.head_count_kv", 3,
            "llama.attention.head_count_kv should be a divisor of llama.attention.head_count (4)"
        ),
        ("llama.embedding_length", .max, "llama.embedding_length should be at most 16777216"),
        ("llama.vocab_size", 5, "llama.vocab_size should be 266, the rows of token_embd.weight"),
        ("llama.embedding_length", 128, "tensor token_embd.weight has shape [266, 64]"),
        ("llama.rope.dimension_count", 8, "heads that are turned only in part"),
    ])
    func `sizes that lie`(_ name: String, _ value: UInt32, _ says: String) throws {
        let text = try refusal { try put(little(UInt32(4)) + little(value), behind: key(name), in: &$0) }
        #expect(text.contains(says), "\(text)")
    }

    @Test func `a key that is gone, a tensor of another name, blocks of another kind`() throws {
        #expect(
            try refusal { try put(Array("X".utf8), behind: Array("llama.feed_forward_lengt".utf8), in: &$0) }
                .contains("the key llama.feed_forward_length should be there"))
        #expect(
            try refusal { try put(Array("X".utf8), behind: Array("blk.1.attn_".utf8), in: &$0) }
                .contains("holds the tensor blk.1.attn_X.weight"))
        // i32 has the size of f32.
        let shape = little(UInt32(2)) + little(UInt64(64)) + little(UInt64(96))
        #expect(
            try refusal { try put(little(UInt32(26)), behind: key("blk.0.ffn_gate.weight") + shape, in: &$0) }
                .contains("tensor blk.0.ffn_gate.weight of type i32"))
    }

    @Test(arguments: [
        "llama.rope.freq_base", "llama.attention.layer_norm_rms_epsilon", "llama.rope.scaling.factor",
        "llama.rope.scale_linear",
    ])
    func `numbers that must be above 0`(_ name: String) throws {
        for number: Double in [0, -1, .nan, .infinity] {
            #expect(
                try rewrittenRefusal { values, _ in values[name] = .float(number) }
                    .contains("the key \(name) should be a number above 0"))
        }
        #expect(
            try rewrittenRefusal { values, _ in values[name] = .bool(true) }
                .contains("the key \(name) should be a number above 0"))
    }

    @Test(arguments: [
        ("llama.rope.scaling.type", GGUFValue.bool(true), "llama.rope.scaling.type should be a text"),
        ("llama.rope.scaling.type", .string(Array("yarn".utf8)), "rope.scaling.type \"yarn\""),
        ("tokenizer.ggml.add_bos_token", .unsigned(1), "tokenizer.ggml.add_bos_token should be true or false"),
        ("tokenizer.chat_template", .unsigned(1), "tokenizer.chat_template should be a text"),
        (
            "tokenizer.chat_template", .string([UInt8](repeating: 0x61, count: 1 << 20 + 1)),
            "should be a text of at most 1 MiB"
        ),
    ])
    func `values of another type`(_ name: String, _ value: GGUFValue, _ says: String) throws {
        let text = try rewrittenRefusal { values, _ in values[name] = value }
        #expect(text.contains(says), "\(text)")
    }

    @Test(arguments: [1, 256])
    func `an embedding of fewer rows than there are tokens`(_ rows: Int) throws {
        let text = try rewrittenRefusal { values, tensors in
            values["llama.vocab_size"] = nil
            for index in tensors.indices where tensors[index].plan.shape.first == 266 {
                tensors[index].bytes.removeLast((266 - rows) * tensors[index].bytes.count / 266)
                tensors[index].plan.shape[0] = rows
            }
        }
        #expect(text.contains("tensor token_embd.weight has shape [\(rows), 64]"), "\(text)")
        #expect(text.contains("call for [266, 64]"), "\(text)")
    }

    @Test(arguments: [UInt16(0x7E00), 0x7C00])
    func `a block's scale that is not finite`(_ scale: UInt16) throws {
        let text = try rewrittenRefusal { _, tensors in
            let index = tensors.firstIndex { $0.plan.name == "blk.1.ffn_up.weight" }
            if let index { tensors[index].bytes.replaceSubrange(34..<36, with: little(scale)) }
        }
        #expect(text.contains("tensor blk.1.ffn_up.weight holds numbers that are not finite"), "\(text)")
    }

    @Test func `every truncation is refused`() throws {
        try withTemporaryDirectory { directory in
            let (model, file) = (directory + "/model", directory + "/m.gguf")
            try writeSmallModel(model)
            try toGGUF(model, file, .q4_0)
            let whole = try readFile(file)
            // The last tensor's padding may be missing.
            for count in stride(from: 0, to: whole.count - 32, by: 997) {
                try writeFile(file, whole[..<count])
                let error = #expect(throws: (any Error).self) { _ = try GGUFModelReader(contentsOf: file) }
                #expect(error is any BadDataError)
            }
        }
    }
}
