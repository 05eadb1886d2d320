import ArgumentParser
import Checkpoints
import FileIO
import Foundation
import OrderedJSON
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
            let merge = try #require(sources.merges.first)
            #expect(sources.merges.count == 1 && merge.path == directory + "/tokenizer")
            #expect(throws: ReportError.baseMissing(tokenizer: merge.path, base: "/nowhere/base.model")) {
                _ = try merge.basePath()
            }
            #expect(sources.inputs == [.init(path: "/nowhere/base.model", bytes: 3, hash: "abc")])
            #expect(sources.manifests.map(\.command) == ["kuoci merge"])
        }
    }

    @Test func `what is not there or damaged is named`() throws {
        try withTemporaryFiles(["empty/a": ""]) { directory in
            #expect(throws: ReportError.nothing(directories: [directory])) { _ = try ReportSources([directory]) }
        }
        try withTemporaryFiles(["log.jsonl": log + "{\"event\":\n"]) { directory in
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

    @Test func `half a last line, of a run that goes on or was killed, is left out`() throws {
        try withTemporaryFiles(["log.jsonl": log + "{\"event\":", "timing.jsonl": times + "{\"st"]) { directory in
            let run = try RunLog(directory)
            #expect(run.steps.count == 2 && run.seconds.count == 2)
        }
    }

    @Test(arguments: [
        "\"step\":9223372036854775807", "\"step\":-1", "\"step\":1,\"bytes\":9223372036854775807",
        "\"step\":1,\"targets\":9223372036854775808",
    ])
    func `what no run counts is a bad line`(members: String) throws {
        try withTemporaryFiles(["log.jsonl": "{\"event\":\"step\",\(members)}\n"]) { directory in
            let error = #expect(throws: ReportError.self) { _ = try RunLog(directory) }
            #expect(error?.description.hasPrefix("\(directory)/log.jsonl: line 1 ") == true)
        }
    }

    @Test func `a directory that is named twice counts once`() throws {
        try withTemporaryFiles(["a/log.jsonl": log]) { directory in
            let sources = try ReportSources([directory, directory + "/a", directory + "/./a"])
            #expect(sources.runs.count == 1)
        }
    }

    @Test func `what is missing, no directory or changed is told apart`() throws {
        let here = merge.replacing("/nowhere/base.model", with: "BASE")
        try withTemporaryFiles(["f": "x", "m/tokenizer.model": "", "base": "new"]) { directory in
            #expect(throws: FileError.missing(path: directory + "/no")) { _ = try ReportSources([directory + "/no"]) }
            #expect(throws: ReportError.notADirectory(path: directory + "/f")) {
                _ = try ReportSources([directory + "/f"])
            }
            let (path, base) = (directory + "/m", directory + "/base")
            try writeFile(path + "/kuoci.json", here.replacing("BASE", with: base).utf8)
            let found = try #require(try ReportedMerge(path))
            #expect(throws: ReportError.baseChanged(tokenizer: path, base: base)) { _ = try found.basePath() }
        }
    }

    @Test func `plots whose titles differ in signs get names of their own, and what is in the way is found first`()
        throws
    {
        let plots = ["zh-a: loss", "zh a: loss"].map {
            ReportPage.Figure(LinePlot($0, x: "step", [.init("a", [(0, 1)])]))
        }
        try withTemporaryFiles(["f": "x", "p/zh-a-loss-2.svg": "x"]) { directory in
            let found = ReportPlots(plots, in: directory + "/p")
            #expect(found.files.map(\.path) == ["zh-a-loss", "zh-a-loss-2"].map { "\(directory)/p/\($0).svg" })
            #expect(throws: FileError.alreadyExists(path: found.files[1].path)) { try found.check(replacing: false) }
            try found.check(replacing: true)
            #expect(throws: FileError.self) { try ReportPlots(plots, in: directory + "/f").check(replacing: true) }
        }
    }

    @Test func `a page tells what the extension saves and costs, by whom it was checked and what it was made of`()
        throws
    {
        try withTemporaryDirectory { directory in
            let (base, merged, text) = (directory + "/base.model", directory + "/m", directory + "/t.txt")
            try FileManager.default.createDirectory(atPath: merged, withIntermediateDirectories: true)
            try writeModel(["中", "文"], to: base)
            try writeModel(["中", "文", "中文", "ab"], to: merged + "/tokenizer.model")
            try writeFile(text, "中文中文 ab\n".utf8)
            let manifest = """
                {"kuoci": "0.1.0", "command": ["kuoci", "merge"], "options": {"policy": "harmless", "scripts": "Latin"},
                 "inputs": [{"path": "\(base)", "bytes": 1, "sha256": "\(try SHA256.hexDigest(ofFile: base))"}],
                 "results": {"proof": {"texts": 9, "texts_without_scripts": 7, "changed": 0}}}
                """
            try writeFile(merged + "/kuoci.json", manifest.utf8)
            let config = LlamaPreset.nano.config(vocabularySize: 259, beginID: nil, endID: nil, padID: nil)
            try writeFile(directory + "/config.json", config.utf8(.pretty))
            let out = directory + "/out.html"
            try ReportCommand.parse([
                merged, "--text", text, "--parallel", "en=\(text)", "zh=\(text)", "--config",
                directory + "/config.json",
                "--out", out,
            ]).run()
            let page = String(decoding: try readFile(out), as: UTF8.self)
            for part in [
                "Is it worth it for t?", "Rényi efficiency", "optimizer GB", "zh for one of en",
                "The longest that t uses",
                "The rarest that t uses", "0 of the 7 without a character of Latin",
                "new rows without a character of Latin",
                String(try SHA256.hexDigest(ofFile: text).prefix(12)),
            ] {
                #expect(page.contains(part), "\(part)")
            }
            // Of another tokenizer the merge's base is not taken, and a larger base is none.
            let words = [directory, "--out", directory + "/other.html", "--tokenizer"]
            #expect(throws: ReportError.noBase(tokenizer: base)) { try ReportCommand.parse(words + [base]).run() }
            #expect(throws: ReportError.self) {
                try ReportCommand.parse(words + [base, "--base", merged]).run()
            }
        }
    }

    @Test func `an empty text and a loss that was no number show as dashes`() throws {
        let log = "{\"event\":\"step\",\"step\":1,\"loss\":null}\n"
        try withTemporaryFiles(["run/log.jsonl": log, "empty.txt": "", "none/a": ""]) { directory in
            try writeModel(["中", "文"], to: directory + "/base.model")
            try writeModel(["中", "文", "中文"], to: directory + "/new.model")
            for source in ["run", "none"] {
                let out = "\(directory)/\(source).html"
                try ReportCommand.parse([
                    "\(directory)/\(source)", "--tokenizer", directory + "/new.model", "--base",
                    directory + "/base.model",
                    "--text", directory + "/empty.txt", "--out", out,
                ]).run()
                let page = String(decoding: try readFile(out), as: UTF8.self)
                #expect(!page.contains(">nan") && !page.contains("nan %") && page.contains(">-</td>"))
            }
        }
    }

    @Test(arguments: [
        ["--compare", "a"], ["--compare", "=a"], ["--text", "a"], [], ["a", "--sentences", "1001"],
        ["a", "--sentences", "9223372036854775807"], ["a", "--parallel", "en=x"], ["a", "--parallel", "en=x", "en=y"],
    ])
    func `what cannot be compared is told`(words: [String]) {
        #expect(throws: (any Error).self) { _ = try ReportCommand.parse(words) }
    }
}
