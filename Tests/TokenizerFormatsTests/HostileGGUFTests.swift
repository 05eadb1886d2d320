import FileIO
import GGUF
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

private let llama: (String, UInt32, [UInt8]) = ("tokenizer.ggml.model", 8, GGUFBytes.text("llama"))

/// A vocabulary of `<unk>` and "a", with other entries in place of, or after, its own.
private func vocabulary(_ changes: [(String, UInt32, [UInt8])]) -> [UInt8] {
    var entries: [(String, UInt32, [UInt8])] = [
        llama, ("tokenizer.ggml.tokens", 9, GGUFBytes.array(8, 2, GGUFBytes.text("<unk>") + GGUFBytes.text("a"))),
        ("tokenizer.ggml.scores", 9, GGUFBytes.array(6, 2, little(Float(0).bitPattern) + little(Float(-1).bitPattern))),
        ("tokenizer.ggml.token_type", 9, GGUFBytes.array(5, 2, little(Int32(2)) + little(Int32(1)))),
    ]
    for change in changes {
        if let index = entries.firstIndex(where: { $0.0 == change.0 }) {
            entries[index] = change
        } else {
            entries.append(change)
        }
    }
    return GGUFBytes.file(entries)
}

struct HostileGGUF: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var says: String
    var testDescription: String { name }
}

private let hostileFiles: [HostileGGUF] = [
    HostileGGUF(name: "no vocabulary", bytes: GGUFBytes.file([("k", 7, [1])]), says: "tokenizer.ggml.model is missing"),
    HostileGGUF(
        name: "gpt2", bytes: vocabulary([("tokenizer.ggml.model", 8, GGUFBytes.text("gpt2"))]),
        says: "a vocabulary of kind \"gpt2\""),
    HostileGGUF(
        name: "model that is a number", bytes: vocabulary([("tokenizer.ggml.model", 4, little(UInt32(1)))]),
        says: "tokenizer.ggml.model is no string"),
    HostileGGUF(name: "tokens missing", bytes: GGUFBytes.file([llama]), says: "tokenizer.ggml.tokens is missing"),
    HostileGGUF(
        name: "one score",
        bytes: vocabulary([("tokenizer.ggml.scores", 9, GGUFBytes.array(6, 1, little(Float(0).bitPattern)))]),
        says: "tokenizer.ggml.scores has 1 entries where there are 2 tokens"),
    HostileGGUF(
        name: "three types",
        bytes: vocabulary([
            (
                "tokenizer.ggml.token_type", 9,
                GGUFBytes.array(5, 3, little(Int32(2)) + little(Int32(1)) + little(Int32(1)))
            )
        ]), says: "token_type has 3 entries"),
    HostileGGUF(
        name: "type 7",
        bytes: vocabulary([("tokenizer.ggml.token_type", 9, GGUFBytes.array(5, 2, little(Int32(2)) + little(Int32(7))))]
        ),
        says: "token_type[1] is 7, none of 1 to 6"),
    HostileGGUF(
        name: "type -1",
        bytes: vocabulary([
            ("tokenizer.ggml.token_type", 9, GGUFBytes.array(5, 2, little(Int32(2)) + little(Int32(-1))))
        ]),
        says: "token_type[1] is -1"),
    HostileGGUF(
        name: "token that is not UTF-8",
        bytes: vocabulary([
            ("tokenizer.ggml.tokens", 9, GGUFBytes.array(8, 2, GGUFBytes.text("<unk>") + little(UInt64(1)) + [0xFF]))
        ]),
        says: "tokens[1] is not valid UTF-8"),
    HostileGGUF(
        name: "eos out of range", bytes: vocabulary([("tokenizer.ggml.eos_token_id", 4, little(UInt32(2)))]),
        says: "eos_token_id is 2, outside the 2 tokens"),
    HostileGGUF(
        name: "bos of 2^32 - 1", bytes: vocabulary([("tokenizer.ggml.bos_token_id", 4, little(UInt32.max))]),
        says: "bos_token_id is 4294967295, outside"),
    HostileGGUF(
        name: "bos of 2^64 - 1", bytes: vocabulary([("tokenizer.ggml.bos_token_id", 10, little(UInt64.max))]),
        says: "outside the 2 tokens"),
    HostileGGUF(
        name: "negative padding", bytes: vocabulary([("tokenizer.ggml.padding_token_id", 5, little(Int32(-1)))]),
        says: "padding_token_id is -1, outside"),
    HostileGGUF(
        name: "flag that is a number", bytes: vocabulary([("tokenizer.ggml.add_space_prefix", 4, little(UInt32(1)))]),
        says: "add_space_prefix is neither true nor false"),
    HostileGGUF(
        name: "charsmap that is text",
        bytes: vocabulary([("tokenizer.ggml.precompiled_charsmap", 8, GGUFBytes.text("x"))]),
        says: "precompiled_charsmap is no array of bytes"),
]

@Suite struct HostileGGUFTests {
    @Test(arguments: hostileFiles)
    func `each fault is said in one line`(_ fault: HostileGGUF) throws {
        let error = #expect(throws: TokenizerFormatError.self) {
            try fault.bytes.withUnsafeBytes { _ = try GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
        }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("v.gguf: "))
        #expect(text.contains(fault.says), "\(text)")
        #expect(text.contains("; ") && !text.contains("\n"))
    }

    @Test(arguments: [Float.nan, .infinity])
    func `scores that are not finite are refused as in a model`(_ score: Float) {
        let bytes = vocabulary([
            ("tokenizer.ggml.scores", 9, GGUFBytes.array(6, 2, little(Float(0).bitPattern) + little(score.bitPattern)))
        ])
        #expect(throws: PieceModelError.self) {
            try bytes.withUnsafeBytes { _ = try GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
        }
    }

    @Test func `every truncation is refused and never traps`() throws {
        let whole = try GGUFVocabulary.utf8(Tokenizer(byteFallbackModel()), name: "small")
        for count in stride(from: 0, to: whole.count - 32, by: 7) {
            #expect(throws: GGUFError.self) {
                try whole[..<count].withUnsafeBytes { _ = try GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
            }
        }
    }

    @Test func `every flipped byte is read or refused`() throws {
        let whole = try GGUFVocabulary.utf8(Tokenizer(byteFallbackModel()), name: "small")
        for index in stride(from: 0, to: whole.count, by: 11) {
            var bytes = whole
            bytes[index] ^= 0x80
            let model = bytes.withUnsafeBytes { try? GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
            if let model, let tokenizer = try? Tokenizer(model) { #expect(!tokenizer.encode("a 中").isEmpty) }
        }
    }
}
