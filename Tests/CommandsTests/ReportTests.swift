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
}
