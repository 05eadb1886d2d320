import FileIO
import Foundation
import TestSupport
import Testing

@Suite struct HostileCommandTests {
    private static let files: [(name: String, bytes: [UInt8])] = [
        ("empty.model", []), ("lfs.model", Array("version https://git-lfs.github.com/spec/v1\n".utf8)),
        ("cut.model", [0x0A, 0x7F, 0x0A]), ("page.json", Array("<html>".utf8)), ("empty.json", []),
        ("merge.json", Array(#"{"model": {"type": "BPE", "vocab": {"a": 0}, "merges": ["a b"]}}"#.utf8)),
        ("empty.gguf", []), ("counts.gguf", Array("GGUF".utf8) + [3, 0, 0, 0] + Array(repeating: 0xFF, count: 16)),
    ]

    @Test(arguments: files.map(\.name))
    func `convert ends with 65, one line, and nothing written`(_ name: String) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            let bytes = Self.files.first { $0.name == name }?.bytes ?? []
            try writeFile(directory + "/" + name, bytes)
            let ending = try run(
                program, ["convert", "--from", directory + "/" + name, "--to", directory + "/out.gguf"])
            #expect(ending.code == 65)
            #expect(ending.output.isEmpty)
            #expect(ending.diagnostics.hasPrefix("kuoci: \(directory)/\(name): "))
            #expect(ending.diagnostics.split(separator: "\n").count == 1, "\(ending.diagnostics)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == [name])
        }
    }

    @Test(arguments: ["empty.model", "lfs.model", "cut.model"])
    func `encode and decode end with 65 and one line`(_ name: String) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            let bytes = Self.files.first { $0.name == name }?.bytes ?? []
            try writeFile(directory + "/" + name, bytes)
            for verb in ["encode", "decode"] {
                let ending = try run(program, [verb, "--model", directory + "/" + name])
                #expect(ending.code == 65)
                #expect(ending.output.isEmpty)
                #expect(ending.diagnostics.split(separator: "\n").count == 1)
            }
        }
    }

    @Test func `what is there is kept unless --force is given`() throws {
        guard let program, let model = sharedData("tokenizers/chinese-20k.model") else { return }
        try withTemporaryDirectory { directory in
            let path = directory + "/out.vocab"
            try writeFile(path, Array("mine".utf8))
            let ending = try run(program, ["convert", "--from", model, "--to", path])
            #expect(ending.code == 1)
            #expect(ending.diagnostics.contains("already exists"))
            #expect(try readFile(path) == Array("mine".utf8))
        }
    }
}
