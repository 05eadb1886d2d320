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
            for arguments in [[], ["--first-rows", "\(rows + 1)"]] {
                let different = try run(
                    ["verify", directory + "/old", directory + "/new", "--format", "json"] + arguments)
                #expect(different.code == 2)
                let json = try JSONValue(parsing: Array(different.output.utf8))
                #expect(json["same"] == false)
                #expect(json["changed"]?.array?.count == 2)
            }
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

    @Test(arguments: [["--max-shard-size", "0"], ["--max-shard-size", "5XB"], ["--pad-to-multiple", "0"]])
    func `sizes that are none are a matter of usage`(_ arguments: [String]) throws {
        try inModel { run, directory in
            let code = try run(resize(directory, arguments)).code
            #expect(code == 64)
        }
    }

    @Test func `bytes are read as transformers writes them`() {
        let sizes = ["5GB", "2GiB", "10kb", "7", "7B", "-1", "1.5GB", "GB", "9999999999TB"].map {
            ByteSize(argument: $0)?.bytes
        }
        #expect(sizes == [5_000_000_000, 2 << 30, 10_000, 7, 7, nil, nil, nil, nil])
    }

    private func oldRows(_ directory: String) throws -> Int {
        let config = try JSONValue(parsing: try readFile(directory + "/old/config.json"))
        return try #require(config["vocab_size"]?.int)
    }
}
