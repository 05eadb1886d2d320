import ArgumentParser
import Checkpoints
import FileIO
import Foundation
import OrderedJSON
import TestSupport
import Testing

@testable import Commands

@Suite struct AdvisedTextTests {
    private func lines(_ path: String) throws -> [String] {
        try String(decoding: readUnpackedFile(path), as: UTF8.self).split(separator: "\n").map(String.init)
    }

    @Test func `each line is in one part, with its repetitions`() throws {
        try withTemporaryDirectory { directory in
            let texts = (0..<500).map { "text \($0 % 400)" }
            try writeFile(directory + "/a.txt", texts.prefix(200).joined(separator: "\n\n").utf8)
            try writeFile(directory + "/b.txt", (texts.dropFirst(200).joined(separator: "\n") + "\n").utf8)
            let text = try AdvisedText([directory + "/a.txt", directory + "/b.txt"], limit: 1 << 20, in: directory)
            let (learned, measured) = try (lines(text.learnedPath), lines(text.measuredPath))
            #expect((learned + measured).sorted() == texts.sorted())
            #expect(Set(learned).isDisjoint(with: measured))
            #expect((30...60).contains(measured.count))
            #expect((text.texts, text.takenTexts) == (500, 500))
            #expect(text.bytes == texts.reduce(0) { $0 + $1.utf8.count })
        }
    }

    @Test func `of a long text lines from all over it are taken`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.txt"
            try writeFile(path, (0..<10_000).map { "text \($0)\n" }.joined().utf8)
            let text = try AdvisedText([path], limit: 20_000, in: directory)
            #expect(text.texts == 10_000)
            #expect((1400...2400).contains(text.takenTexts))
            let numbers = try lines(text.learnedPath).compactMap { Int($0.dropFirst(5)) }
            for quarter in 0..<4 { #expect(numbers.count { $0 / 2500 == quarter } > 250) }
        }
    }

    @Test(arguments: ["", "\n\n", "one text\n"])
    func `too little text is told`(contents: String) throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.txt"
            try writeFile(path, contents.utf8)
            #expect { try AdvisedText([path], limit: 1000, in: directory) } throws: { error in
                "\(error)".hasPrefix(path + ": ") && "\(error)".contains("too few")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["a.txt"])
        }
    }
}

@Suite struct AdviseCommandTests {
    /// 400 sentences of few words, a base that has their characters only, and a config.
    private func advise(_ sentences: [String], _ options: [String]) throws -> JSONValue {
        try withTemporaryDirectory { directory in
            let characters = Set(sentences.joined()).map { String($0) }.sorted()
            try writeModel(characters, to: directory + "/tokenizer.model")
            let config = LlamaPreset.nano.config(
                vocabularySize: 257 + characters.count, beginID: nil, endID: nil, padID: nil)
            try writeFile(directory + "/config.json", config.text(.pretty).utf8)
            try writeFile(directory + "/text.txt", sentences.joined(separator: "\n").utf8)
            let command = try AdviseCommand.parse(
                ["--model", directory, "--text", directory + "/text.txt", "--progress", "none"] + options)
            return try command.advice().json
        }
    }

    private let words = ["人工智能", "自然语言", "机器翻译", "中文词表"]

    private var sentences: [String] {
        (0..<400).map { number in (0..<5).map { words[(number >> $0 + $0 * number) % 4] }.joined() + "\(number)" }
    }

    @Test func `rows are counted, and what they save`() throws {
        let json = try advise(sentences, ["--sizes", "2,4,100"])
        let sizes = try #require(json["sizes"]?.array)
        // A four-character word takes three merges; with twelve each is one token.
        #expect(sizes.compactMap { $0["rows"]?.int }.prefix(3) == [0, 2, 4])
        let tokens = try sizes.map { try #require($0["tokens_per_character_after"]?.double) }
        #expect(tokens == tokens.sorted(by: >))
        #expect(abs(tokens[0] - 1) < 1e-9)
        #expect(tokens[3] < 0.45)
        #expect(sizes.compactMap { $0["added_parameters"]?.int }.prefix(2) == [0, 2 * 2 * 64])
        #expect(json["verdict"]?.string == "yes")
        #expect(json["commands"]?.array?.count == 4)
    }

    @Test func `a text without Chinese gains nothing`() throws {
        let json = try advise((0..<400).map { "text number \($0)" }, [])
        #expect(json["verdict"]?.string == "no")
        #expect(json["sizes"]?.array?.count == 1)
        #expect(json["commands"]?.array == [])
        let kana = try advise((0..<400).map { "テキスト\($0)" }, ["--scripts", "Kana"])
        #expect(kana["verdict"]?.string == "yes")
    }
}

@Suite struct StudyPayoffTests {
    private func payoff(_ paidOff: String) throws -> StudyPayoff? {
        try StudyPayoff(
            Array(
                """
                {"parameters": 1000000, "rows": 100, "paid_off": \(paidOff), "trained": {"bytes": 900, "targets": 300}}
                """.utf8))
    }

    @Test func `rows take as many tokens as in the study`() throws {
        let study = try #require(try payoff("{\"bytes\": 600, \"targets\": 200, \"operations\": 1e9}"))
        #expect(study.tokens(rows: 100) == 200 && study.tokens(rows: 50) == 100)
        #expect(study.trained.tokens == 300 && study.paidOff?.bytes == 600)
        let never = try #require(try payoff("null"))
        #expect(never.tokens(rows: 50) == nil)
        #expect(try StudyPayoff(Array("{}".utf8)) == nil)
    }

    @Test func `the shipped one is of the study`() throws {
        let study = try #require(StudyPayoff.shipped)
        #expect(study.parameters > 1_000_000 && study.rows > 1000)
        #expect((study.paidOff?.tokens ?? 0) <= study.trained.tokens)
    }
}
