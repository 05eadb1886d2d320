import Corpora
import FileIO
import Foundation
import TestSupport
import Testing

private let names = ["zh.txt", "zh.heldout.txt", "en.txt", "en.heldout.txt"]

private func lines(_ path: String) throws -> [String] {
    var result: [String] = []
    try forEachLine(of: path) { result.append(String(decoding: $0, as: UTF8.self)) }
    return result
}

@Suite struct CorpusBuildingTests {
    private let samples = ["corpora/sample.zh.txt", "corpora/sample.en.txt"].map { repositoryRoot + "/" + $0 }

    @Test func theSamplesAreSortedIntoLanguagesOnce() throws {
        try withTemporaryDirectory { directory in
            let report = try buildCorpus(CorpusPlan(texts: samples + samples, threads: 2), into: directory)
            let chinese = try lines(directory + "/zh.txt") + lines(directory + "/zh.heldout.txt")
            let english = try lines(directory + "/en.txt") + lines(directory + "/en.heldout.txt")
            #expect(chinese.count > 150 && Set(chinese).count == chinese.count)
            #expect(english.count > 100 && Set(english).count == english.count)
            #expect(Set(chinese).isSubset(of: try lines(samples[0])))
            #expect(try !lines(directory + "/zh.heldout.txt").isEmpty)
            #expect(try !lines(directory + "/en.heldout.txt").isEmpty)
            #expect(report.bytes(of: .chinese) == chinese.reduce(0) { $0 + $1.utf8.count })
            // The second time round everything is known.
            #expect(report.parts[4].paragraphs == 0 && report.parts[4].duplicates == chinese.count)
        }
    }

    @Test func theNumberOfThreadsDoesNotShow() throws {
        try withTemporaryDirectory { directory in
            var results: [[[UInt8]]] = []
            for threads in [1, 2, 7] {
                let path = "\(directory)/\(threads)"
                try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
                _ = try buildCorpus(CorpusPlan(texts: samples, threads: threads), into: path)
                results.append(try names.map { try readFile("\(path)/\($0)") })
            }
            #expect(results[0] == results[1] && results[0] == results[2])
        }
    }

    @Test func withoutChineseThereIsNoCorpus() throws {
        try withTemporaryDirectory { directory in
            #expect { try buildCorpus(CorpusPlan(texts: [samples[1]]), into: directory) } throws: {
                "\($0)".contains("no Chinese paragraph found")
            }
            for name in names { #expect(!FileManager.default.fileExists(atPath: directory + "/" + name)) }
        }
    }

    /// An unpacked package laid out by hand stands for one that dpkg-deb unpacked.
    @Test func packagesAreReadByTheirKindOfFile() throws {
        try withTemporaryDirectory { directory in
            let root = "\(directory)/cache/unpacked/demo-zh_1.0_all/usr/share"
            let files = [
                "doc/demo/html/zh-CN/b.html": "<p>第二个文件里的一个段落。</p><p>重复出现的一个段落。</p>",
                "doc/demo/html/zh-CN/a.html": "<p>第一个文件里的一个段落。</p><p>重复出现的一个段落。</p>",
                "doc/demo/html/de-DE/a.html": "<p>不应该被读到的一个段落。</p>",
                "man/zh_CN/man1/demo.1": ".SH 名称\n不是压缩文件，不会读到。",
                "games/fortunes/demo": "一句很有道理的话。\n%\n又一句很有道理的话。\n",
                "games/fortunes/demo.dat": "索引文件里没有可读的文字。",
            ]
            for (name, text) in files {
                let path = "\(root)/\(name)"
                let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
                try writeFile(path, text.utf8)
            }
            try writeFile("\(directory)/cache/demo-zh_1.0_all.deb", [])
            let source = CorpusSource(
                package: "demo-zh", language: .chinese, paths: ["html/zh-CN/", "/games/"])
            let plan = CorpusPlan(sources: [source], cache: try PackageCache(directory + "/cache"))
            let report = try buildCorpus(plan, into: directory)
            let found = try lines(directory + "/zh.txt") + lines(directory + "/zh.heldout.txt")
            #expect(
                Set(found) == [
                    "第一个文件里的一个段落。", "重复出现的一个段落。", "第二个文件里的一个段落。", "一句很有道理的话。", "又一句很有道理的话。",
                ])
            #expect(report.parts.map(\.files) == [3] && report.parts.map(\.duplicates) == [1])
        }
    }

    @Test func aPackageThatIsNoneIsDamaged() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/demo_1_all.deb", Array("<html>".utf8))
            #expect { try PackageCache(directory).unpack("demo") } throws: { "\($0)".contains("cannot be unpacked") }
        }
    }
}

@Suite struct SourceListTests {
    private func read(_ text: String) throws -> [CorpusSource] {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/sources.tsv", text.utf8)
            return try readSourceList(directory + "/sources.tsv")
        }
    }

    @Test func theCommittedListIsGood() throws {
        let sources = try readSourceList(repositoryRoot + "/corpora/sources.tsv")
        #expect(sources.contains { $0.package == "manpages-zh" && $0.language == .chinese })
        #expect(sources.contains { $0.package == "manpages" && $0.language == .english })
        #expect(sources.allSatisfy { !$0.licence.isEmpty && !$0.contents.isEmpty })
    }

    @Test func pathsAreListed() throws {
        #expect(try read("# c\n\nabc\tzh\tx/,y\tGPL\twhat\n").map(\.paths) == [["x/", "y"]])
        #expect(try read("abc\ten\t-\tGPL\twhat").map(\.paths) == [[]])
    }

    @Test(arguments: ["abc", "abc\tzh\t-\tGPL", "--x\tzh\t-\tGPL\tw", "a;b\tzh\t-\tGPL\tw", "abc\tfr\t-\tGPL\tw"])
    func badLinesAreNamed(_ line: String) {
        #expect { try read("# first\n\(line)\n") } throws: { error in
            guard case CorpusError.badSourceList(_, 2, _) = error else { return false }
            return true
        }
    }
}
