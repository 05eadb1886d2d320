import ArgumentParser
import FileIO
import Foundation
import Reports
import TestSupport
import Testing

@testable import Commands

private let log = """
    {"event":"evaluation","step":0,"set":"zh","loss":9,"bits_per_byte":4}
    {"event":"step","step":1,"loss":8.5,"learning_rate":0.1,"gradient_norm":2}
    {"event":"step","step":2,"loss":8.25,"learning_rate":0.2,"gradient_norm":1}
    {"event":"evaluation","step":2,"set":"zh","loss":8,"bits_per_byte":3.5}

    """
private let times = """
    {"step":1,"seconds":1,"targets_per_second":100,"peak_memory_bytes":5}
    {"step":2,"seconds":1,"targets_per_second":300,"peak_memory_bytes":7}

    """
private let merge = """
    {"command": ["kuoci", "merge"], "options": {"policy": "append"},
     "inputs": [{"path": "/nowhere/base.model", "bytes": 3, "sha256": "abc"}]}
    """

@Suite struct ReportTests {
    @Test func `a run's log is read, with its speed and memory`() throws {
        try withTemporaryFiles(["1-embeddings/log.jsonl": log, "1-embeddings/timing.jsonl": times]) { directory in
            let run = try RunLog(directory + "/1-embeddings")
            #expect(run.name == "1-embeddings" && run.lastStep == 2)
            #expect(run.steps.map(\.loss) == [8.5, 8.25] && run.measures.map(\.bitsPerByte) == [4, 3.5])
            #expect(run.tokensPerSecond == 300 && run.peakMemoryBytes == 7)
        }
    }

    @Test func `directories are searched for runs and a merge, checkpoints passed over`() throws {
        let files = [
            "run/1-a/log.jsonl": log, "run/2-b/log.jsonl": log, "run/2-b/checkpoints/step-1/log.jsonl": log,
            "tokenizer/kuoci.json": merge, "tokenizer/tokenizer.model": "", ".hidden/log.jsonl": log,
        ]
        try withTemporaryFiles(files) { directory in
            let sources = try ReportSources([directory])
            #expect(sources.runs.map(\.name) == ["1-a", "2-b"])
            #expect(sources.merge?.path == directory + "/tokenizer")
            // What is no longer there cannot be read.
            #expect(sources.merge?.base == nil)
            #expect(sources.inputs == [.init(path: "/nowhere/base.model", bytes: 3, hash: "abc")])
            #expect(sources.manifests.map(\.command) == ["kuoci merge"])
        }
    }

    @Test func `what is not there or damaged is named`() throws {
        try withTemporaryFiles(["empty/a": ""]) { directory in
            #expect(throws: ReportError.nothing(directories: [directory])) { _ = try ReportSources([directory]) }
        }
        try withTemporaryFiles(["log.jsonl": log + "{\"event\":"]) { directory in
            let error = #expect(throws: ReportError.self) { _ = try ReportSources([directory]) }
            #expect(error?.description.hasPrefix("\(directory)/log.jsonl: line 5 ") == true)
        }
        try withTemporaryFiles(["kuoci.json": "{"]) { directory in
            #expect(throws: ReportError.self) { _ = try ReportSources([directory]) }
        }
    }

    @Test func `steps of later runs follow those of earlier ones`() throws {
        try withTemporaryFiles(["a/log.jsonl": log, "b/log.jsonl": log]) { directory in
            let runs = try ReportSources([directory]).runs
            let section = try #require(runSections(runs).first)
            #expect(section.figures.count == 4)
            #expect(runTiles(runs).map(\.value) == ["3.500"])
        }
    }

    @Test func `sample lines come from all over the file`() throws {
        let lines = (0..<1000).map { "line number \($0) of the file" } + ["short", String(repeating: "x", count: 500)]
        try withTemporaryFiles(["t.txt": lines.joined(separator: "\n") + "\n"]) { directory in
            let found = try sampleLines(of: directory + "/t.txt", 10)
            #expect(found.count == 10)
            #expect(Set(found).isSubset(of: lines.dropLast(2)))
            #expect(found.last.map { lines.firstIndex(of: $0) ?? 0 } ?? 0 > 400)
        }
    }

    @Test func `ways are compared after the same text and the same computing`() throws {
        func stage(_ values: (Double, Double)) -> String {
            """
            {"event":"evaluation","step":0,"set":"zh","bits_per_byte":\(values.0)}
            {"event":"evaluation","step":0,"set":"en","bits_per_byte":2}
            {"event":"step","step":1,"bytes":1500000,"targets":1000}
            {"event":"step","step":2,"bytes":500000,"targets":1000}
            {"event":"evaluation","step":2,"set":"zh","bits_per_byte":\(values.1)}
            {"event":"evaluation","step":2,"set":"en","bits_per_byte":2.5}

            """
        }
        let manifest = "{\"results\": {\"operations_per_token\": 1000000000}}"
        let files = [
            "a/1/log.jsonl": stage((4, 3)), "a/2/log.jsonl": stage((3, 2)), "a/1/kuoci.json": manifest,
            "a/2/kuoci.json": manifest, "b/1/log.jsonl": stage((5, 1)), "b/1/kuoci.json": manifest,
        ]
        try withTemporaryFiles(files) { directory in
            let ways = try ["a", "b"].map { name in
                RunComparison.Way(name: name, runs: try ReportSources(["\(directory)/\(name)"]).runs)
            }
            let section = RunComparison(ways).section
            // No times: nothing is drawn by them.
            #expect(
                section.figures.map(\.title) == [
                    "zh: bits per byte by text", "zh: bits per byte by computing", "en: bits per byte by text",
                    "en: bits per byte by computing", "zh against en",
                ])
            let text = section.figures[0].file
            #expect(text.contains(">a: 4 at 0<") && text.contains(">a: 3 at 2<") && text.contains(">a: 2 at 4<"))
            #expect(text.contains(">b: 1 at 2<") && text.components(separatedBy: "<circle").count == 6)
            // 4,000 tokens of 10^9 operations each.
            #expect(section.figures[1].file.contains(">a: 2 at 4000<"))
            #expect(section.figures[4].file.contains(">a: 2 at 2.500<"))

            let (out, plots) = (directory + "/out.html", directory + "/plots")
            var words = ["--compare", "A=\(directory)/a", "B=\(directory)/b", "--out", out, "--plots", plots]
            try ReportCommand.parse(words).run()
            let names = try FileManager.default.contentsOfDirectory(atPath: plots).sorted()
            let page = String(decoding: try readFile(out), as: UTF8.self)
            #expect(
                page.contains(">GFLOP</th>") && page.contains(">4000.0</td>") && page.contains(">4.000 → 2.000</td>"))
            #expect(names.count == 5 && names.last == "zh-bits-per-byte-by-text.svg")
            #expect(throws: (any Error).self) { try ReportCommand.parse(words).run() }
            words += ["--force"]
            try ReportCommand.parse(words).run()
        }
    }

    @Test(arguments: [["--compare", "a"], ["--compare", "=a"], ["--text", "a"], []])
    func `what cannot be compared is told`(words: [String]) {
        #expect(throws: (any Error).self) { _ = try ReportCommand.parse(words) }
    }
}
