import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerFormats

private func little(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
}

private func text(_ value: String) -> [UInt8] { little(UInt64(value.utf8.count)) + Array(value.utf8) }

/// A file with these entries: key, type and value as bytes.
private func file(_ entries: [(String, UInt32, [UInt8])], count: UInt64? = nil, version: UInt32 = 3) -> [UInt8] {
    Array("GGUF".utf8) + little(version) + little(UInt64(0)) + little(count ?? UInt64(entries.count))
        + entries.flatMap { text($0.0) + little($0.1) + $0.2 }
}

private func array(_ type: UInt32, _ count: UInt64, _ bytes: [UInt8]) -> [UInt8] {
    little(type) + little(count) + bytes
}

private let llama: (String, UInt32, [UInt8]) = ("tokenizer.ggml.model", 8, text("llama"))

/// A vocabulary of `<unk>` and "a", with other entries in place of, or after, its own.
private func vocabulary(_ changes: [(String, UInt32, [UInt8])]) -> [UInt8] {
    var entries: [(String, UInt32, [UInt8])] = [
        llama, ("tokenizer.ggml.tokens", 9, array(8, 2, text("<unk>") + text("a"))),
        ("tokenizer.ggml.scores", 9, array(6, 2, little(Float(0).bitPattern) + little(Float(-1).bitPattern))),
        ("tokenizer.ggml.token_type", 9, array(5, 2, little(Int32(2)) + little(Int32(1)))),
    ]
    for change in changes {
        if let index = entries.firstIndex(where: { $0.0 == change.0 }) {
            entries[index] = change
        } else {
            entries.append(change)
        }
    }
    return file(entries)
}

struct HostileGGUF: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var says: String
    var testDescription: String { name }
}

private let hostileFiles: [HostileGGUF] = [
    HostileGGUF(name: "empty", bytes: [], says: "not a GGUF file (it is empty)"),
    HostileGGUF(name: "other magic", bytes: Array("GGML".utf8) + [3, 0, 0, 0], says: "it does not begin with GGUF"),
    HostileGGUF(name: "four bytes", bytes: Array("GGUF".utf8), says: "it ends early"),
    HostileGGUF(name: "version 1", bytes: file([], version: 1), says: "GGUF of version 1"),
    HostileGGUF(name: "version 9", bytes: file([], version: 9), says: "GGUF of version 9"),
    HostileGGUF(name: "big-endian", bytes: file([], version: UInt32(3).byteSwapped), says: "big-endian"),
    HostileGGUF(
        name: "2^64 - 1 entries", bytes: file([], count: .max),
        says: "a count of 18446744073709551615 passes the file's end"),
    HostileGGUF(name: "one entry more than there is", bytes: file([llama], count: 2), says: "it ends early"),
    HostileGGUF(
        name: "key of 2^63 bytes",
        bytes: Array(file([], count: 1)) + little(UInt64(1) << 63) + Array(repeating: 0, count: 20),
        says: "passes the file's end"),
    HostileGGUF(
        name: "key twice", bytes: file([llama, llama]), says: "the key \"tokenizer.ggml.model\" is there twice"),
    HostileGGUF(
        name: "key that is too long", bytes: file([(String(repeating: "k", count: 65_536), 7, [1])]),
        says: "a key is no text of at most 65535 bytes"),
    HostileGGUF(name: "unknown type", bytes: file([("k", 13, [0, 0, 0])]), says: "13 is no type of a value"),
    HostileGGUF(name: "bool of 2", bytes: file([("k", 7, [2])]), says: "2 is neither true nor false"),
    HostileGGUF(
        name: "array of 2^62 floats", bytes: file([("k", 9, array(6, 1 << 62, [0, 0, 0, 0]))]),
        says: "passes the file's end"),
    HostileGGUF(
        name: "array of 2^40 strings", bytes: file([("k", 9, array(8, 1 << 40, text("a")))]),
        says: "passes the file's end"),
    HostileGGUF(
        name: "arrays in arrays in arrays",
        bytes: file([("k", 9, array(9, 1, array(9, 1, array(9, 1, array(9, 1, array(9, 1, array(0, 1, [0])))))))]),
        says: "too deep"),
    HostileGGUF(
        name: "string past the end", bytes: file([("k", 8, little(UInt64(100)) + [0x61])]),
        says: "passes the file's end"),
    HostileGGUF(name: "no vocabulary", bytes: file([("k", 7, [1])]), says: "tokenizer.ggml.model is missing"),
    HostileGGUF(
        name: "gpt2", bytes: vocabulary([("tokenizer.ggml.model", 8, text("gpt2"))]),
        says: "a vocabulary of kind \"gpt2\""),
    HostileGGUF(
        name: "model that is a number", bytes: vocabulary([("tokenizer.ggml.model", 4, little(UInt32(1)))]),
        says: "tokenizer.ggml.model is no string"),
    HostileGGUF(name: "tokens missing", bytes: file([llama]), says: "tokenizer.ggml.tokens is missing"),
    HostileGGUF(
        name: "one score", bytes: vocabulary([("tokenizer.ggml.scores", 9, array(6, 1, little(Float(0).bitPattern)))]),
        says: "tokenizer.ggml.scores has 1 entries where there are 2 tokens"),
    HostileGGUF(
        name: "three types",
        bytes: vocabulary([
            ("tokenizer.ggml.token_type", 9, array(5, 3, little(Int32(2)) + little(Int32(1)) + little(Int32(1))))
        ]), says: "token_type has 3 entries"),
    HostileGGUF(
        name: "type 7",
        bytes: vocabulary([("tokenizer.ggml.token_type", 9, array(5, 2, little(Int32(2)) + little(Int32(7))))]),
        says: "token_type[1] is 7, none of 1 to 6"),
    HostileGGUF(
        name: "type -1",
        bytes: vocabulary([("tokenizer.ggml.token_type", 9, array(5, 2, little(Int32(2)) + little(Int32(-1))))]),
        says: "token_type[1] is -1"),
    HostileGGUF(
        name: "token that is not UTF-8",
        bytes: vocabulary([("tokenizer.ggml.tokens", 9, array(8, 2, text("<unk>") + little(UInt64(1)) + [0xFF]))]),
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
        name: "charsmap that is text", bytes: vocabulary([("tokenizer.ggml.precompiled_charsmap", 8, text("x"))]),
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
            ("tokenizer.ggml.scores", 9, array(6, 2, little(Float(0).bitPattern) + little(score.bitPattern)))
        ])
        #expect(throws: PieceModelError.self) {
            try bytes.withUnsafeBytes { _ = try GGUFVocabulary.model(bytes: $0, path: "v.gguf") }
        }
    }

    @Test func `every truncation is refused and never traps`() throws {
        let whole = try GGUFVocabulary.utf8(Tokenizer(byteFallbackModel()), name: "small")
        for count in stride(from: 0, to: whole.count - 32, by: 7) {
            #expect(throws: TokenizerFormatError.self) {
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
