import FileIO
import Foundation
import TestSupport
import Testing

/// No `--force` goes so far as to delete what the command reads, or what Kuoci did not write.
@Suite struct ReplacedInputTests {
    /// Makes `d/model`, `d/model.gguf` and `d/m.model`.
    private func inModel(_ body: (_ run: ([String]) throws -> Ending, _ directory: String) throws -> Void) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            try FileManager.default.createDirectory(atPath: directory + "/d", withIntermediateDirectories: false)
            try writeModel(["中", "文", "中文"], to: directory + "/d/m.model")
            let arguments = [
                ["init", "--preset", "nano", "--tokenizer", directory + "/d/m.model", "--out", directory + "/d/model"],
                ["convert", "--from", directory + "/d/model", "--to", directory + "/d/model.gguf"],
            ]
            for arguments in arguments {
                let ending = try run(program, arguments + ["--progress", "none"])
                #expect(ending.code == 0, "\(ending.diagnostics)")
            }
            try body({ try run(program, $0) }, directory)
        }
    }

    private func entries(_ directory: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: directory).sorted()
    }

    private static let commands = [
        ["export", "--model", "d/model", "--adapter", "d/adapter", "--out"],
        ["resize", "--model", "d/model", "--tokenizer", "d/m.model", "--out"],
        ["convert", "--from", "d/model.gguf", "--to"],
        ["convert", "--from", "d/model", "--vocab-only", "--to"],
        ["merge", "--base", "d/m.model", "--add", "d/model", "--out"],
        ["init", "--preset", "nano", "--tokenizer", "d/m.model", "--out"],
        ["init", "--config", "d/model/config.json", "--tokenizer", "d/model", "--out"],
    ]

    @Test(arguments: commands)
    func `a directory that holds an input is not replaced`(_ command: [String]) throws {
        try inModel { run, directory in
            let before = try entries(directory)
            let arguments = command.map { $0.hasPrefix("d/") ? "\(directory)/\($0)" : $0 }
            for options in [[], ["--force"]] {
                let ending = try run(arguments + [directory + "/d"] + options)
                #expect(ending.code == 1)
                #expect(ending.diagnostics.hasPrefix("kuoci: \(directory)/d: holds the input "))
                #expect(ending.diagnostics.split(separator: "\n").count == 1, "\(ending.diagnostics)")
            }
            #expect(try entries(directory) == before)
        }
    }

    @Test(arguments: commands)
    func `a name that is none is refused at once`(_ command: [String]) throws {
        try inModel { run, directory in
            let before = try entries(directory)
            let arguments = command.map { $0.hasPrefix("d/") ? "\(directory)/\($0)" : $0 }
            for name in [".", "..", "none/.", "none/.."] {
                let ending = try run(arguments + ["\(directory)/\(name)", "--force"])
                #expect(ending.code == 1)
                #expect(ending.diagnostics.contains("\(directory)/\(name): cannot be written, for want of a name"))
            }
            #expect(try entries(directory) == before)
        }
    }

    @Test(arguments: commands)
    func `a directory that no output is, and a file, are not replaced`(_ command: [String]) throws {
        try inModel { run, directory in
            try FileManager.default.createDirectory(atPath: directory + "/mine", withIntermediateDirectories: false)
            try writeFile(directory + "/mine/thesis", "中文".utf8)
            let arguments = command.map { $0.hasPrefix("d/") ? "\(directory)/\($0)" : $0 }
            for out in ["mine", "mine/thesis"].map({ "\(directory)/\($0)" }) {
                let ending = try run(arguments + [out, "--force"])
                #expect(ending.code == 1)
                #expect(ending.diagnostics == "kuoci: \(FileError.notAnOutput(path: out, mark: "kuoci.json"))\n")
            }
            #expect(try readFile(directory + "/mine/thesis") == Array("中文".utf8))
        }
    }

    @Test func `an empty directory, and an older output, are replaced`() throws {
        try inModel { run, directory in
            try FileManager.default.createDirectory(atPath: directory + "/out", withIntermediateDirectories: false)
            for _ in 1...2 {
                let ending = try run([
                    "init", "--preset", "nano", "--tokenizer", directory + "/d/m.model", "--out", directory + "/out",
                    "--force",
                ])
                #expect(ending.code == 0, "\(ending.diagnostics)")
            }
        }
    }

    @Test func `an input is not replaced by what is made of it`() throws {
        try inModel { run, directory in
            for (from, to) in [("m.model", "m.model"), ("model", "model"), ("model.gguf", "../d/model.gguf")] {
                let (from, to) = ("\(directory)/d/\(from)", "\(directory)/d/\(to)")
                let ending = try run(["convert", "--from", from, "--to", to, "--vocab-only", "--force"])
                #expect(ending.code == 1)
                #expect(ending.diagnostics == "kuoci: \(FileError.holdsInput(path: to, input: from))\n")
            }
            #expect(try readFile(directory + "/d/model.gguf").starts(with: "GGUF".utf8))
        }
    }

    @Test func `a page does not replace the text that it measures`() throws {
        try inModel { run, directory in
            try writeFile(directory + "/text", "中文\n".utf8)
            let ending = try run([
                "report", directory + "/d/model", "--tokenizer", directory + "/d/m.model", "--base",
                directory + "/d/m.model", "--text", directory + "/text", "--out", directory + "/text", "--force",
            ])
            #expect(ending.code == 1)
            #expect(try readFile(directory + "/text") == Array("中文\n".utf8))
        }
    }
}
