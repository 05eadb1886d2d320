import TestSupport
import Testing

@testable import Commands

private let measure = """
    [{"text": "out/corpus/zh.heldout.txt", "tokenizers": [
        {"tokenizer": "base.model", "entries": 32000, "tokens_per_character": 1.25},
        {"tokenizer": "merged.model", "entries": 49953, "tokens_per_character": 0.5}]},
     {"text": "out/corpus/en.heldout.txt", "tokenizers": [
        {"tokenizer": "base.model", "entries": 32000, "tokens_per_character": 0.25},
        {"tokenizer": "merged.model", "entries": 49953, "tokens_per_character": 0.25}]}]
    """

private func run(before: Double, after: Double) -> String {
    func sets(_ value: Double) -> String {
        "[{\"set\": \"zh\", \"bits_per_byte\": \(value)}, {\"set\": \"en\", \"bits_per_byte\": \(value + 1)}]"
    }
    return "{\"results\": {\"before\": \(sets(before)), \"after\": \(sets(after))}}"
}

@Suite struct JobSummaryTests {
    @Test func finishedJobShowsEveryStage() throws {
        let files = [
            "measure.json": measure, "base/kuoci.json": run(before: 9, after: 5),
            "stage1/kuoci.json": run(before: 4.5, after: 3), "stage2/kuoci.json": run(before: 3, after: 2),
            "evaluation/export.json":
                "[{\"set\": \"zh\", \"bits_per_byte\": 2.0}, {\"set\": \"en\", \"bits_per_byte\": 3}]",
            "times.tsv": "corpus\t61.4\nstage1\t3.0\n", "export/config.json": "{}",
        ]
        try withTemporaryFiles(files) { directory in
            let summary = try JobSummary(directory: directory)
            #expect(summary.fertilities.map(\.entries) == [32000, 49953])
            #expect(summary.fertilities.map { $0.tokensPerCharacter["zh"] } == [1.25, 0.5])
            #expect(summary.qualities.map { $0.bitsPerByte?["zh"] } == [5, 4.5, 3, 2, 2])
            #expect(summary.qualities.map { $0.bitsPerByte?["en"] } == [6, 5.5, 4, 3, 3])
            #expect(
                summary.results == [
                    .init(path: directory + "/export", meaning: "the result, for Hugging Face transformers")
                ])
            let lines = summary.text.split(separator: "\n").map(String.init)
            #expect(lines.contains("  49,953 entries              0.5000      0.2500"))
            #expect(lines.contains("  change                     -60.0 %      +0.0 %"))
            #expect(lines.contains("  after stage 2               2.0000      3.0000"))
            #expect(lines.contains("  all steps               1 min 04 s"))
        }
    }

    @Test func stepsThatHaveNotRunShowADash() throws {
        try withTemporaryFiles(["measure.json": measure]) { directory in
            let text = try JobSummary(directory: directory).text
            #expect(text.contains("after stage 1                    -           -"))
        }
    }

    @Test func emptyDirectoryIsRefused() throws {
        try withTemporaryFiles([:]) { directory in
            #expect(throws: SummaryError.nothing(directory: directory)) { try JobSummary(directory: directory) }
        }
    }

    @Test(arguments: [
        ("measure.json", "{", "not valid JSON"), ("measure.json", "{}", "has no list of texts"),
        ("measure.json", "[{\"text\": \"zh.txt\"}]", "has no \"tokenizers\""),
        ("stage1/kuoci.json", "{\"results\": {}}", "has no \"before\""),
        ("evaluation/export.json", "{}", "has no list of held-out sets"), ("times.tsv", "corpus 3\n", "line 1"),
        ("times.tsv", "corpus\tnan\n", "line 1"),
    ])
    func damagedFileIsNamed(name: String, text: String, reason: String) throws {
        try withTemporaryFiles([name: text]) { directory in
            let error = #expect(throws: SummaryError.self) { try JobSummary(directory: directory) }
            let description = error?.description ?? ""
            #expect(description.hasPrefix(directory + "/" + name))
            #expect(description.contains(reason))
        }
    }
}
