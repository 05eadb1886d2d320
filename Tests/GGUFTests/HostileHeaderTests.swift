import GGUF
import TestSupport
import Testing

struct HostileFile: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var says: String
    var testDescription: String { name }
}

private let model: (String, UInt32, [UInt8]) = ("k", 8, GGUFBytes.text("a longer value"))

private let hostileKeys: [HostileFile] = [
    HostileFile(name: "empty", bytes: [], says: "not a GGUF file (it is empty)"),
    HostileFile(name: "other magic", bytes: Array("GGML".utf8) + [3, 0, 0, 0], says: "it does not begin with GGUF"),
    HostileFile(name: "four bytes", bytes: Array("GGUF".utf8), says: "it ends early"),
    HostileFile(name: "version 1", bytes: GGUFBytes.file([], version: 1), says: "GGUF of version 1"),
    HostileFile(name: "version 9", bytes: GGUFBytes.file([], version: 9), says: "GGUF of version 9"),
    HostileFile(name: "big-endian", bytes: GGUFBytes.file([], version: UInt32(3).byteSwapped), says: "big-endian"),
    HostileFile(
        name: "2^64 - 1 entries", bytes: GGUFBytes.file([], count: .max),
        says: "a count of 18446744073709551615 passes the file's end"),
    HostileFile(
        name: "65,537 keys", bytes: GGUFBytes.file([], count: 65_537, rest: Array(repeating: 0, count: 65_537 * 13)),
        says: "it has 65537 keys, more than the 65536 that are read"),
    HostileFile(
        name: "more types of tokens than memory is for",
        bytes: GGUFBytes.file([
            (
                "tokenizer.ggml.token_type", 9,
                GGUFBytes.array(0, 1 << 23 + 1, Array(repeating: 1, count: 1 << 23 + 1))
            )
        ]),
        says: "what its keys hold takes more than the 67108864 bytes that are read"),
    HostileFile(name: "one entry more than there is", bytes: GGUFBytes.file([model], count: 2), says: "it ends early"),
    HostileFile(
        name: "key of 2^63 bytes",
        bytes: Array(GGUFBytes.file([], count: 1)) + little(UInt64(1) << 63) + Array(repeating: 0, count: 20),
        says: "passes the file's end"),
    HostileFile(
        name: "key twice", bytes: GGUFBytes.file([model, model]), says: "the key \"k\" is there twice"),
    HostileFile(
        name: "key that is too long", bytes: GGUFBytes.file([(String(repeating: "k", count: 65_536), 7, [1])]),
        says: "a key is no text of at most 65535 bytes"),
    HostileFile(name: "unknown type", bytes: GGUFBytes.file([("k", 13, [0, 0, 0])]), says: "13 is no type of a value"),
    HostileFile(name: "bool of 2", bytes: GGUFBytes.file([("k", 7, [2])]), says: "2 is neither true nor false"),
    HostileFile(
        name: "array of 2^62 floats", bytes: GGUFBytes.file([("k", 9, GGUFBytes.array(6, 1 << 62, [0, 0, 0, 0]))]),
        says: "passes the file's end"),
    HostileFile(
        name: "array of 2^40 strings",
        bytes: GGUFBytes.file([("k", 9, GGUFBytes.array(8, 1 << 40, GGUFBytes.text("a")))]),
        says: "passes the file's end"),
    HostileFile(
        name: "arrays in arrays in arrays",
        bytes: GGUFBytes.file([
            (
                "k", 9,
                GGUFBytes.array(
                    9, 1,
                    GGUFBytes.array(
                        9, 1,
                        GGUFBytes.array(9, 1, GGUFBytes.array(9, 1, GGUFBytes.array(9, 1, GGUFBytes.array(0, 1, [0])))))
                )
            )
        ]),
        says: "too deep"),
    HostileFile(
        name: "string past the end", bytes: GGUFBytes.file([("k", 8, little(UInt64(100)) + [0x61])]),
        says: "passes the file's end"),
]

/// Everything up to and with the places of the tensors.
func readGGUF(_ bytes: [UInt8]) throws -> (header: GGUFHeader, tensors: [GGUFTensor]) {
    try bytes.withUnsafeBytes { bytes in
        let header = try GGUFHeader(bytes: bytes, path: "m.gguf")
        return (header, try header.tensors(in: bytes))
    }
}

/// Expects one line that names the file, what is wrong and the mend.
func expectRefusal(_ fault: HostileFile) throws {
    let error = #expect(throws: GGUFError.self) { try readGGUF(fault.bytes) }
    let text = try #require(error?.description)
    #expect(text.hasPrefix("m.gguf: "))
    #expect(text.contains(fault.says), "\(text)")
    #expect(text.contains("; ") && !text.contains("\n"))
}

@Suite struct HostileHeaderTests {
    @Test(arguments: hostileKeys)
    func `each fault of the keys is said in one line`(_ fault: HostileFile) throws {
        try expectRefusal(fault)
    }
}
