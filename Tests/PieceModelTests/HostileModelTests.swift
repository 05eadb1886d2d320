import FileIO
import TestSupport
import Testing

@testable import PieceModel

/// A length-delimited field of the wire format.
private func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] {
    [number << 3 | 2] + varint(UInt64(bytes.count)) + bytes
}

private func varint(_ value: UInt64) -> [UInt8] {
    var rest = value
    var bytes: [UInt8] = []
    while rest >= 0x80 {
        bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
        rest >>= 7
    }
    return bytes + [UInt8(rest)]
}

/// A piece: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
private func piece(_ text: [UInt8], score: Float = 0, type: UInt8 = 1) -> [UInt8] {
    let bits = score.bitPattern
    let little = (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    return field(1, field(1, text) + [0x15] + little + [0x18, type])
}

private func piece(_ text: String, score: Float = 0, type: UInt8 = 1) -> [UInt8] {
    piece(Array(text.utf8), score: score, type: type)
}

private let unknown = piece("<unk>", type: 2)
/// trainer_spec: model_type BPE, byte_fallback on.
private let byteFallback = field(2, [0x18, 2] + [0x98, 0x02, 1])
private func bytePieces(_ count: Int) -> [UInt8] {
    (0..<count).flatMap { piece(PieceModel.piece(forByte: UInt8($0)), type: 6) }
}

struct HostileModel: Sendable, CustomTestStringConvertible {
    var name: String
    var bytes: [UInt8]
    var says: String
    var testDescription: String { name }
}

private let hostileModels: [HostileModel] = [
    HostileModel(name: "0 bytes", bytes: [], says: "the file is empty"),
    HostileModel(
        name: "Git LFS pointer", bytes: Array("version https://git-lfs.github.com/spec/v1\noid sha256:0".utf8),
        says: "this is a Git LFS pointer"),
    HostileModel(name: "HTML", bytes: Array("<!DOCTYPE html><html>".utf8), says: "this is an HTML page"),
    HostileModel(name: "JSON", bytes: Array("{\"version\": \"1.0\"}".utf8), says: "this is a JSON text"),
    HostileModel(name: "text", bytes: Array("hello, world\n".utf8), says: "not a SentencePiece model"),
    HostileModel(name: "pickle", bytes: [0x80, 0x02, 0x7D], says: "this is a Python pickle"),
    HostileModel(name: "zip", bytes: [0x50, 0x4B, 3, 4, 0], says: "this is a zip archive"),
    HostileModel(name: "truncated varint", bytes: unknown + [0x0A, 0xFF], says: "cut short"),
    HostileModel(
        name: "varint of ten bytes and more", bytes: unknown + [0x0A] + Array(repeating: 0xFF, count: 11),
        says: "cut short"),
    HostileModel(name: "length past the end", bytes: unknown + [0x0A, 0x7F, 0x0A], says: "cut short"),
    HostileModel(name: "length of 2 GB", bytes: unknown + [0x0A] + varint(1 << 31), says: "cut short"),
    HostileModel(name: "length of 2^63", bytes: unknown + [0x0A] + varint(1 << 63), says: "cut short"),
    HostileModel(name: "group without an end", bytes: unknown + [0xA3, 0x06, 0x0A], says: "cut short"),
    HostileModel(name: "end of a group that never began", bytes: unknown + [0xA4, 0x06], says: "cut short"),
    HostileModel(name: "groups in groups", bytes: unknown + Array(repeating: 0x0B, count: 100_000), says: "cut short"),
    HostileModel(name: "wire type 7", bytes: unknown + [0x0F], says: "cut short"),
    HostileModel(name: "no pieces", bytes: field(2, [0x18, 2]), says: "holds no pieces"),
    HostileModel(name: "empty piece", bytes: unknown + piece(""), says: "piece 1 is empty"),
    HostileModel(name: "piece without text", bytes: unknown + field(1, [0x18, 1]), says: "piece 1 is empty"),
    HostileModel(name: "piece twice", bytes: unknown + piece("a") + piece("a"), says: "piece 2 (\"a\") is there twice"),
    HostileModel(
        name: "piece with line ends twice", bytes: unknown + piece("\n\r") + piece("\n\r"), says: "is there twice"),
    HostileModel(name: "no unknown piece", bytes: piece("a"), says: "no piece is of type unknown"),
    HostileModel(name: "two unknown pieces", bytes: unknown + piece("b", type: 2), says: "is a second unknown piece"),
    HostileModel(
        name: "byte without the flag", bytes: unknown + piece("<0x00>", type: 6), says: "without byte_fallback"),
    HostileModel(
        name: "255 bytes", bytes: unknown + bytePieces(255) + byteFallback, says: "only 255 of 256 byte pieces exist"),
    HostileModel(
        name: "byte piece that is none", bytes: unknown + piece("<0xG0>", type: 6) + byteFallback, says: "is not one of"
    ),
    HostileModel(
        name: "piece of 1 MB", bytes: unknown + piece(String(repeating: "a", count: 1 << 20)),
        says: "is longer than 7999 bytes"),
    HostileModel(name: "NUL in a piece", bytes: unknown + piece("a\0b"), says: "holds a NUL character"),
    HostileModel(
        name: "piece that is not UTF-8", bytes: unknown + piece([0xC3, 0x28]), says: "not a SentencePiece model"),
    HostileModel(name: "score NaN", bytes: unknown + piece("a", score: .nan), says: "which is not finite"),
    HostileModel(name: "score infinite", bytes: unknown + piece("a", score: -.infinity), says: "which is not finite"),
    HostileModel(
        name: "charsmap of odd size is text here", bytes: unknown + field(3, field(2, [1, 2, 3])) + [0x0A],
        says: "cut short"),
]

@Suite struct HostileModelTests {
    @Test(arguments: hostileModels)
    func `each fault is said in one line that names the file and a mend`(_ model: HostileModel) throws {
        let error = #expect(throws: PieceModelError.self) {
            try model.bytes.withUnsafeBytes { _ = try SentencePieceModel(bytes: $0, path: "x.model") }
        }
        let text = try #require(error?.description)
        #expect(text.hasPrefix("x.model: "))
        #expect(text.contains(model.says), "\(text)")
        #expect(text.contains("; "))
        #expect(!text.contains("\n") && !text.contains("\r"))
        #expect(text.utf8.count < 400)
    }

    @Test func `a group that is unknown and closed is kept`() throws {
        let bytes = unknown + [0xA3, 0x06, 0x08, 0x01, 0xA4, 0x06]
        let model = try bytes.withUnsafeBytes { try SentencePieceModel(bytes: $0, path: "x.model") }
        #expect(try model.serialized().suffix(6) == bytes.suffix(6))
    }

    @Test func `a file of zeros is refused`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/zeros.model"
            try writeFile(path, [])
            try truncateFile(path, to: 64 << 20)
            #expect(throws: PieceModelError.self) { _ = try SentencePieceModel(contentsOf: path) }
        }
    }

    @Test func `a directory and a missing file are named`() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.notAFile(path: directory)) { _ = try SentencePieceModel(contentsOf: directory) }
            #expect(throws: FileError.missing(path: directory + "/x")) {
                _ = try SentencePieceModel(contentsOf: directory + "/x")
            }
        }
    }
}
