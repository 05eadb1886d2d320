import FileIO
import OrderedJSON
import TestSupport
import Testing

@Suite struct LintCommandTests {
    private func lint(_ pieces: [String], _ arguments: [String] = []) throws -> Ending? {
        guard let program else { return nil }
        return try withTemporaryDirectory { directory in
            try writeModel(pieces, to: directory + "/test.model")
            return try run(program, ["lint", "--tokenizer", directory + "/test.model"] + arguments)
        }
    }

    @Test func `a vocabulary without errors ends with 0, whatever its warnings`() throws {
        // 1 and 2 are no pieces, and still characters that merges start from.
        guard let ending = try lint(["中", "文", "12"]) else { return }
        #expect(ending.code == 0, "\(ending.output)\(ending.diagnostics)")
        #expect(ending.output.contains("\nok       each row is given by some text\n"))
        #expect(ending.output.contains("\nwarning  1 rows hold digits side by side\n"))
        #expect(ending.diagnostics.isEmpty)
    }

    @Test func `a dead row ends it with 2, in text and in JSON`() throws {
        let pieces = ["越", "来", "越来越"]
        guard let text = try lint(pieces), let json = try lint(pieces, ["--format", "json"]) else { return }
        #expect(text.code == 2 && json.code == 2)
        #expect(text.output.contains("\nerror    1 rows that no text gives; 1 of them have no chain "))
        #expect(text.output.contains(" 259 越来越 = 越 来 越: would need "))
        let value = try JSONValue(parsing: Array(json.output.utf8))
        #expect(value["has_errors"] == true)
        let dead = try #require(value["errors"]?["dead_rows"]?.array)
        #expect(dead.map { $0["id"] } == [259] && dead.map { $0["reason"] } == ["no_chain"])
        #expect(dead.first?["parts"] == ["越", "来", "越"])
    }

    @Test func `a file that is named is compared`() throws {
        guard let program else { return }
        try withTemporaryDirectory { directory in
            let (model, other) = (directory + "/test.model", directory + "/other.model")
            try writeModel(["中", "文"], to: model)
            try writeModel(["中"], to: other)
            let same = try run(program, ["lint", "--tokenizer", model, "--compare", model])
            #expect(same.code == 0, "\(same.output)\(same.diagnostics)")
            #expect(same.output.contains("\nok       \(model) gives other ids on 0 of "))
            let different = try run(program, ["lint", "--tokenizer", model, "--compare", other])
            #expect(different.code == 2)
            #expect(different.output.contains("\nerror    \(other) gives other ids on "))
        }
    }

    @Test(arguments: ["-1", "9223372036854775807"])
    func `a number of examples that cannot be shown is a matter of usage`(_ count: String) throws {
        guard let ending = try lint(["中"], ["--examples=" + count]) else { return }
        #expect(ending.code == 64 && ending.diagnostics.contains("--examples must be from 0 to "))
    }

    @Test func `what is no list of scripts is a matter of usage, what is no model of data`() throws {
        guard let usage = try lint(["中"], ["--scripts", "Klingon"]),
            let data = try lint(["中"], ["--base", "/dev/null"])
        else { return }
        #expect(usage.code == 64 && usage.diagnostics.contains("\"Klingon\" is unknown"))
        #expect(data.code != 0 && data.code != 2 && data.diagnostics.contains("/dev/null"))
    }
}
