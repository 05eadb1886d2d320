import ArgumentParser
import OrderedJSON
import Testing

@testable import Commands

struct RowStartOptionsTests {
    private let needed = ["resize", "--model", "m", "--tokenizer", "t", "--out", "o"]

    private func starts(_ arguments: [String]) throws -> JSONValue {
        let command = try #require(Kuoci.parseAsRoot(needed + arguments) as? ResizeCommand)
        var json: JSONValue = [:]
        command.starts.starts.addMembers(to: &json)
        return json
    }

    private func members(
        _ input: String, _ head: String, _ norm: String, _ spread: Double, _ seed: Int
    ) -> JSONValue {
        [
            "init_input": .string(input), "init_head": .string(head), "init_norm": .string(norm),
            "init_spread": .double(spread), "init_text": [], "seed": .integer(seed),
        ]
    }

    @Test func everyOptionInForceIsRecorded() throws {
        #expect(try starts([]) == members("subword-mean", "subword-mean", "keep", 1, 0))
        #expect(try starts(["--init", "mean"]) == members("mean", "mean", "keep", 1, 0))
        #expect(
            try starts([
                "--init", "script", "--init-head", "zero", "--init-norm", "match", "--init-spread", "0.5", "--seed",
                "7",
            ]) == members("script", "zero", "match", 0.5, 7))
    }

    @Test(arguments: [
        ["--init", "neighbours"], ["--init-head", "neighbours"], ["--init", "mean", "--init-text", "t"],
        ["--init-spread", "-1"], ["--init-spread", "nan"], ["--init", "median"], ["--init-norm", "half"],
    ])
    func whatMakesNoSenseIsRefused(_ arguments: [String]) {
        #expect(throws: (any Error).self) { _ = try Kuoci.parseAsRoot(needed + arguments) }
    }
}
