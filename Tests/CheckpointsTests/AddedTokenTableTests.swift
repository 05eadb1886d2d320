import TestSupport
import Testing

@testable import Checkpoints

/// What is read of the files beside a tokenizer.model.
struct AddedTokenTableTests {
    private func table(_ files: [(name: String, text: String)]) throws -> AddedTokenTable {
        try withTemporaryDirectory { directory in
            for (name, text) in files { try writeText("\(directory)/\(name)", text) }
            return try AddedTokenTable(files.map { ("\(directory)/\($0.name)", $0.name) })
        }
    }

    @Test func tokensOfAllFilesAreThere() throws {
        let found = try table([
            ("added_tokens.json", #"{"<pad>": 7}"#),
            ("tokenizer_config.json", #"{"added_tokens_decoder": {"3": {"content": "<s>"}}, "x": 1}"#),
            ("tokenizer.json", #"{"model": {"vocab": {"a": 1}}, "added_tokens": [{"id": 9, "content": "<x>"}]}"#),
            ("special_tokens_map.json", "nothing of the kind"),
        ])
        #expect(found.tokens.mapValues(\.text) == [3: "<s>", 7: "<pad>", 9: "<x>"])
        #expect(found.rows == 10)
    }

    @Test func filesNeedNotNameAny() throws {
        let found = try table([("tokenizer_config.json", "{}"), ("tokenizer.json", #"{"model": {}}"#)])
        #expect(found.tokens.isEmpty && found.rows == 0)
    }

    @Test func ofTwoForOneIDTheFirstFileCounts() throws {
        let found = try table([
            ("added_tokens.json", #"{"<pad>": 7}"#),
            ("tokenizer.json", #"{"added_tokens": [{"id": 7, "content": "<x>"}]}"#),
        ])
        #expect(found.tokens[7]?.text == "<pad>")
        #expect(found.tokens[7]?.path.hasSuffix("/added_tokens.json") == true)
    }

    @Test(arguments: [
        ("added_tokens.json", #"{"<pad>": "7"}"#), ("added_tokens.json", #"{"<pad>": -1}"#),
        ("added_tokens.json", #"{"<pad>": 16777216}"#), ("added_tokens.json", "["),
        ("tokenizer_config.json", #"{"added_tokens_decoder": {"x": {"content": "<s>"}}}"#),
        ("tokenizer_config.json", #"{"added_tokens_decoder": {"3": {}}}"#),
        ("tokenizer.json", #"{"added_tokens": [{"id": 9}]}"#), ("tokenizer.json", #"{"added_tokens": [9]}"#),
        ("tokenizer.json", "[]"), ("tokenizer.json", ""),
    ])
    func unsoundFilesAreNamed(_ name: String, _ text: String) {
        let error = message { _ = try table([(name, text)]) }
        #expect(error.contains("/\(name): "), "\(error)")
        #expect(!error.contains("\n"))
    }
}
