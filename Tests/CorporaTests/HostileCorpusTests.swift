import FileIO
import Foundation
import TestSupport
import Testing

@testable import Corpora

/// The documents of a file with this name and these bytes.
private func documents(_ name: String, _ bytes: [UInt8], _ format: DocumentFormat? = nil) throws -> [String] {
    try withTemporaryDirectory { directory in
        let path = directory + "/" + name
        try writeFile(path, bytes)
        var texts: [String] = []
        try forEachDocument(of: path, format: format) { texts.append(String(decoding: $0, as: UTF8.self)) }
        return texts
    }
}

/// The refusal of a file: one line that names it and says what to do.
private func refusal(_ name: String, _ bytes: [UInt8], _ format: DocumentFormat? = nil) -> String {
    do {
        return "read: \(try documents(name, bytes, format))"
    } catch {
        let text = "\(error)"
        #expect(text.contains(name) && text.contains("; ") && !text.contains("\n"), "\(text)")
        return text
    }
}

@Suite struct HostileCorpusTests {
    @Test func `line ends of every kind`() throws {
        #expect(
            try documents("a.txt", Array("a\r\nb\nc\rd\u{2028}e\u{85}f".utf8)) == ["a", "b", "c\nd\u{2028}e\u{85}f"])
    }

    @Test(arguments: [DocumentFormat.lines, .paragraphs, .jsonLines])
    func `nothing, and nothing but line ends, is no document`(_ format: DocumentFormat) throws {
        #expect(try documents("a", [], format) == [])
        #expect(try documents("a", Array("\n\r\n\n".utf8), format) == [])
        #expect(try documents("a", [0xEF, 0xBB, 0xBF], format) == [])
    }

    @Test func `NUL bytes alone are no text`() throws {
        let text = refusal("a.txt", Array(repeating: 0, count: 100))
        #expect(text == "read: []" || text.contains("UTF-16"), "\(text)")
    }

    @Test(
        arguments: [
            ([0xFF, 0xFE, 0x2D, 0x4E, 0x87, 0x65], "UTF-16LE"), ([0xFE, 0xFF, 0x4E, 0x2D, 0x65, 0x87], "UTF-16BE"),
            (Array("a\0b\0c\0d\0e\0f\0".utf8), "UTF-16LE"),
            ([0xD6, 0xD0, 0xCE, 0xC4, 0xB7, 0xD6, 0xB4, 0xCA], "GB18030"),
        ] as [([UInt8], String)])
    func `other encodings are refused by name`(_ bytes: [UInt8], _ encoding: String) {
        #expect(refusal("a.txt", bytes).contains("is \(encoding), not UTF-8"))
    }

    @Test func `a line in another encoding among good ones is named`() {
        let mixed = Array("中文\n".utf8) + [0xD6, 0xD0, 0xCE, 0xC4, 0xB7, 0xD6, 0xB4, 0xCA, 0x0A]
        #expect(refusal("a.txt", mixed).contains("line 2 is GB18030"))
    }

    @Test func `an array of records at the top is said to be none`() {
        let record = #"{"instruction": "a", "input": "", "output": "b"},"#
        let array = "[" + String(repeating: record, count: 100_000) + "{}]"
        #expect(
            refusal("alpaca.jsonl", Array(array.utf8)).contains("line 1 is not a JSON object with a \"text\" string"))
    }

    @Test(arguments: [
        "null", "[]", "{\"text\": null}", "{\"text\": [\"a\"]}", "{\"text\": \"a\", \"text\": \"b\"}",
        "{\"text\": \"\\udc00\"}",
        "{\"text\": \"a\"", "{\"text\": \"a\nb\"}", "{'text': 'a'}", "{\"text\": \"\u{1}\"}",
    ])
    func `lines that are no objects with a text are named by number`(_ line: String) {
        let text = refusal("a.jsonl", Array("{\"text\": \"good\"}\n\n\(line)\n".utf8))
        #expect(text.contains("line 3 is not a JSON object"), "\(text)")
    }

    @Test func `JSON nested without end is refused`() {
        let deep = Array("{\"text\":".utf8) + Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(refusal("a.jsonl", deep).contains("nested too deeply"))
    }

    @Test func `a line of 1 GB is refused by its length`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/long.txt"
            try writeFile(path, [])
            try truncateFile(path, to: 1 << 30)
            let error = #expect(throws: CorpusError.self) { try forEachDocument(of: path) { _ in } }
            #expect(error == .documentTooLong(path: path, line: 1, limit: DocumentReader.longestDocument))
        }
    }

    /// Window descriptor 0x90: 2^28 bytes, where 2^27 are allowed.
    @Test func `a zstd frame with a window of 256 MiB is refused`() {
        let frame: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x90, 0x01, 0x00, 0x00]
        #expect(refusal("a.txt.zst", frame).contains("damaged near compressed byte"))
    }

    @Test(arguments: ["a.txt.gz", "a.txt.zst"])
    func `names that promise packed text are held to it`(_ name: String) {
        #expect(refusal(name, Array("plain\n".utf8)).contains("as its name says"))
    }

    @Test func `a file that grows while it is read ends where it ended`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.txt"
            try writeFile(path, Array("a\nb".utf8))
            var reader = try DocumentReader(path)
            #expect(try reader.next() == Array("a".utf8))
            let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
            try handle.seekToEnd()
            try handle.write(contentsOf: Data("more\nlines\n".utf8))
            try handle.close()
            #expect(try reader.next() == Array("b".utf8))
            #expect(try reader.next() == nil)
        }
    }

    @Test func `pages and manuals of random bytes are read`() {
        var generator = SeededGenerator(seed: 20_240_601)
        let marks = Array("<>/&;\"'.\\-[]()\n \u{0}\u{FF}pdivTHSPf#x".utf8)
        for _ in 0..<500 {
            let bytes = (0..<Int.random(in: 0..<200, using: &generator)).map { _ in
                Bool.random(using: &generator)
                    ? marks[Int.random(in: 0..<marks.count, using: &generator)]
                    : UInt8.random(in: 0...255, using: &generator)
            }
            for paragraph in paragraphs(ofHTML: bytes) + paragraphs(ofManualPage: bytes) + paragraphs(ofFortunes: bytes)
            {
                for cleaned in cleanedParagraphs(of: paragraph) {
                    #expect(String(validating: cleaned.text, as: UTF8.self) != nil)
                }
            }
        }
    }
}
