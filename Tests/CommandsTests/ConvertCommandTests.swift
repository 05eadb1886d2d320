import Checkpoints
import FileIO
import Foundation
import TestSupport
import Testing

/// What `convert` makes of models, and when it refuses to make a vocabulary of one.
@Suite struct ConvertCommandTests {
    /// Makes `m.model`, the checkpoint `model` and `model.gguf`.
    private func inModel(_ body: (_ run: ([String]) throws -> Ending, _ directory: String) throws -> Void) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            try writeModel(["中", "文", "中文"], to: directory + "/m.model")
            let quietly: ([String]) throws -> Ending = { try run(program, $0 + ["--progress", "none"]) }
            for arguments in [
                ["init", "--preset", "nano", "--tokenizer", directory + "/m.model", "--out", directory + "/model"],
                ["convert", "--from", directory + "/model", "--to", directory + "/model.gguf"],
            ] {
                let ending = try quietly(arguments)
                #expect(ending.code == 0, "\(ending.diagnostics)")
            }
            try body(quietly, directory)
        }
    }

    @Test(arguments: [("model.gguf", "other.gguf"), ("model", "tokenizer")])
    func `a model loses its tensors only when asked`(_ from: String, _ to: String) throws {
        try inModel { run, directory in
            let arguments = ["convert", "--from", "\(directory)/\(from)", "--to", "\(directory)/\(to)"]
            for options in [[], ["--type", "f16"]] {
                let refused = try run(arguments + options)
                #expect(refused.code == 64)
                #expect(refused.diagnostics.contains("--vocab-only"), "\(refused.diagnostics)")
                #expect(!FileManager.default.fileExists(atPath: "\(directory)/\(to)"))
            }
            let ending = try run(arguments + ["--vocab-only"])
            #expect(ending.code == 0, "\(ending.diagnostics)")
            #expect(FileManager.default.fileExists(atPath: "\(directory)/\(to)"))
        }
    }

    @Test(arguments: ["model", "model.gguf"], ["t.model", "t.json", "t.vocab"])
    func `a format that holds no tensors asks for the vocabulary by itself`(_ from: String, _ to: String) throws {
        try inModel { run, directory in
            let arguments = ["convert", "--from", "\(directory)/\(from)", "--to", "\(directory)/new/\(to)"]
            let refused = try run(arguments + ["--type", "f16"])
            #expect(refused.code == 64)
            #expect(refused.diagnostics.contains("is a vocabulary alone"), "\(refused.diagnostics)")
            let ending = try run(arguments)
            #expect(ending.code == 0, "\(ending.diagnostics)")
            #expect(FileManager.default.fileExists(atPath: "\(directory)/new/\(to)"))
        }
    }

    @Test func `a model goes to a file and comes back, missing directories made`() throws {
        try inModel { run, directory in
            let (file, back) = (directory + "/a/b/m.gguf", directory + "/c/d/back")
            for (from, to) in [(directory + "/model", file), (file, back)] {
                let ending = try run(["convert", "--from", from, "--to", to])
                #expect(ending.code == 0, "\(ending.diagnostics)")
            }
            let (old, new) = (try Checkpoint(directory: directory + "/model"), try Checkpoint(directory: back))
            #expect(new.contentHash == old.contentHash)
        }
    }

    @Test(arguments: [
        ["--to", "t.gguf", "--vocab-only", "--type", "q8_0"], ["--to", "n.safetensors"], ["--to", "n.safetensors/"],
        ["--to", "pytorch_model.bin", "--vocab-only"],
    ])
    func `words that contradict each other are a matter of usage`(_ words: [String]) throws {
        try inModel { run, directory in
            let before = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            let arguments = words.enumerated().map { $0.offset == 1 ? "\(directory)/\($0.element)" : $0.element }
            let ending = try run(["convert", "--from", directory + "/model"] + arguments)
            #expect(ending.code == 64)
            #expect(ending.output.isEmpty)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == before)
        }
    }
}
