import FileIO
import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Commands

/// `resize` and `verify` as people run them.
@Suite struct VerifyCommandTests {
    /// Makes a small checkpoint `old` and a tokenizer `new.model` with two more pieces; nil where nothing is built.
    private func inModel(_ body: (_ run: ([String]) throws -> Ending, _ directory: String) throws -> Void) throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            try writeModel(["中", "文", "中文"], to: directory + "/old.model")
            try writeModel(["中", "文", "中文", "文中", "中文中"], to: directory + "/new.model")
            let quietly: ([String]) throws -> Ending = { try run(program, $0 + ["--progress", "none"]) }
            let made = try quietly([
                "init", "--preset", "nano", "--tokenizer", directory + "/old.model", "--out", directory + "/old",
                "--max-shard-size", "100KB",
            ])
            #expect(made.code == 0, "\(made.diagnostics)")
            try body(quietly, directory)
        }
    }

    private func resize(_ directory: String, _ more: [String]) -> [String] {
        ["resize", "--model", directory + "/old", "--tokenizer", directory + "/new.model", "--out", directory + "/new"]
            + more
    }

    @Test func `a resize is verified by the number of its first rows, and nothing less`() throws {
        try inModel { run, directory in
            let ending = try run(resize(directory, ["--pad-to-multiple", "8"]))
            #expect(ending.code == 0, "\(ending.diagnostics)")
            #expect(ending.output.contains("rows are padding") || ending.output.contains("rows start anew"))
            let rows = try oldRows(directory)
            let verified = try run(["verify", directory + "/old", directory + "/new", "--first-rows", "\(rows)"])
            #expect(verified.code == 0, "\(verified.output)")
            #expect(verified.output.contains("the \(rows) expected rows are the same"))
            #expect(verified.output.hasSuffix("all is as it should be\n"))
            let different = try run(["verify", directory + "/old", directory + "/new", "--format", "json"])
            #expect(different.code == 2)
            let json = try JSONValue(parsing: Array(different.output.utf8))
            #expect(json["same"] == false)
            #expect(json["changed"]?.array?.count == 2)
            for wanted in [rows + 1, Int.max] {
                let refused = try run(["verify", directory + "/old", directory + "/new", "--first-rows", "\(wanted)"])
                #expect(refused.code == 65 && refused.output.isEmpty)
                #expect(refused.diagnostics.contains("/old: has \(rows) rows"), "\(refused.diagnostics)")
            }
        }
    }

    @Test func `rows that the second has no longer are counted as different`() throws {
        try inModel { run, directory in
            #expect(try run(resize(directory, [])).code == 0)
            let rows = try oldRows(directory)
            let verified = try run(["verify", directory + "/new", directory + "/old", "--first-rows", "\(rows + 2)"])
            #expect(verified.code == 2)
            #expect(
                verified.output.contains("2 of \(rows + 2) rows differ, the first is row \(rows)"), "\(verified.output)"
            )
        }
    }

    @Test func `a resize with --link says how many files are links`() throws {
        try inModel { run, directory in
            let ending = try run(resize(directory, ["--link"]))
            #expect(ending.code == 0, "\(ending.diagnostics)")
            let files = try FileManager.default.contentsOfDirectory(atPath: directory + "/new")
            let count = files.filter { $0.hasSuffix(".safetensors") }.count
            #expect(ending.output.contains(" of \(count) weight files linked\n"), "\(ending.output)")
        }
    }

    @Test(arguments: [[], ["--dry-run"]])
    func `an output that is there or holds an input is refused, tried or not`(_ more: [String]) throws {
        try inModel { run, directory in
            try FileManager.default.createDirectory(
                atPath: directory + "/new", withIntermediateDirectories: false)
            let there = try run(resize(directory, more))
            #expect(there.code == 1 && there.diagnostics.contains("/new: already exists"), "\(there.diagnostics)")
            let arguments = ["--model", directory + "/old", "--tokenizer", directory + "/new.model", "--force"]
            for out in [directory + "/old", directory] {
                let ending = try run(["resize", "--out", out] + arguments + more)
                #expect(ending.code == 1 && ending.diagnostics.contains("holds the input"), "\(ending.diagnostics)")
            }
            #expect(FileManager.default.fileExists(atPath: directory + "/old/config.json"))
        }
    }

    @Test func `a dry run writes nothing and says what it would`() throws {
        try inModel { run, directory in
            let ending = try run(resize(directory, ["--dry-run"]))
            let rows = try oldRows(directory)
            #expect(ending.code == 0, "\(ending.diagnostics)")
            #expect(ending.output.contains("[\(rows), 64]  [\(rows + 2), 64]"), "\(ending.output)")
            #expect(ending.output.contains(" of disk needed, "))
            #expect(!FileManager.default.fileExists(atPath: directory + "/new"))
        }
    }

    @Test(arguments: [
        ["--max-shard-size", "0"], ["--max-shard-size", "5XB"], ["--pad-to-multiple", "0"],
        ["--link", "--max-shard-size", "5GB"],
    ])
    func `sizes that are none are a matter of usage`(_ arguments: [String]) throws {
        try inModel { run, directory in
            let code = try run(resize(directory, arguments)).code
            #expect(code == 64)
        }
    }

    @Test func `bytes are read as transformers writes them`() {
        let sizes = ["5GB", "2GiB", "10kb", "7", "7B", "-1", "GB", "9999999999TB"].map {
            ByteSize(argument: $0)?.bytes
        }
        #expect(sizes == [5_000_000_000, 2 << 30, 10_000, 7, 7, nil, nil, nil])
        let fractions = ["1.5GB", "0.3gib", "4.35GB"].map { ByteSize(argument: $0)?.bytes }
        #expect(fractions == [1_500_000_000, 322_122_547, 4_350_000_000])
        for text in ["2.5", "1.5B", ".5GB", "5.GB", "1.5.5GB", "1e3MB", "-1.5GB", "0.0GB"] {
            #expect(ByteSize(argument: text)?.bytes == nil, "\(text)")
        }
    }

    private func oldRows(_ directory: String) throws -> Int {
        let config = try JSONValue(parsing: try readFile(directory + "/old/config.json"))
        return try #require(config["vocab_size"]?.int)
    }
}
