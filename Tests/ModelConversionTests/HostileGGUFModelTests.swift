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
        ("llama.attention.head_count_kv", 3, "num_key_value_heads"),
        ("llama.embedding_length", .max, "hidden_size"),
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
