import Corpora
import FileIO
import Glibc
import TestSupport
import Testing

private func documents(
    _ bytes: [UInt8], named name: String = "text.txt", format: DocumentFormat? = nil
) throws -> ([String], DocumentCounts) {
    try withTemporaryDirectory { directory in
        try writeFile(directory + "/" + name, bytes)
        var result: [String] = []
        let counts = try forEachDocument(of: directory + "/" + name, format: format) {
            result.append(String(decoding: $0, as: UTF8.self))
        }
        return (result, counts)
    }
}

@Suite struct DocumentReaderTests {
    @Test func aLineIsADocument() throws {
        let (found, counts) = try documents(Array("一\n\n二 two\n \t\nlast".utf8))
        #expect(found == ["一", "二 two", "last"])
        #expect(counts == DocumentCounts(documents: 3, blankLines: 2))
    }

    @Test func blankLinesMayDivideDocuments() throws {
        let (found, _) = try documents(Array("\n\na\nb\n\n\nc\n".utf8), format: .paragraphs)
        #expect(found == ["a\nb", "c"])
    }

    @Test func jsonLinesHoldTexts() throws {
        let lines = #"{"text": "一\n二", "id": 1}"# + "\n\n" + #"{"text": ""}"# + "\n" + #"{"id":[],"text":"\u4e2d"}"#
        let (found, _) = try documents(Array(lines.utf8), named: "a.jsonl")
        #expect(found == ["一\n二", "中"])
    }

    @Test func manyEmptyTextsAreNoDocuments() throws {
        let lines = String(repeating: "{\"text\":\"\"}\n", count: 50_000) + "{\"text\":\"end\"}"
        #expect(try documents(Array(lines.utf8), named: "a.jsonl").0 == ["end"])
    }

    @Test(arguments: ["{", "[1]", "7", #"{"content":"x"}"#, #"{"text":7}"#, #"{"text":"\ud800"}"#, #"{"text":"a"} x"#])
    func aBadJSONLineIsNamed(_ line: String) {
        #expect { try documents(Array("{\"text\":\"fine\"}\n\(line)\n".utf8), named: "a.jsonl") } throws: { error in
            guard case CorpusError.notJSON(_, 2, _) = error else { return false }
            return true
        }
    }

    @Test func marksLineEndsAndNulsAreMended() throws {
        let (found, counts) = try documents(Array("\u{FEFF}a\r\nb\rc\r\n".utf8) + [0x64, 0, 0x65, 0x0A])
        #expect(found == ["a", "b\nc", "de"])
        #expect(counts == DocumentCounts(documents: 3, nulBytes: 1))
    }

    @Test func strayBytesAreReplacedAndCounted() throws {
        let (found, counts) = try documents(Array("中文".utf8) + [0xFF, 0x0A] + Array("好".utf8))
        #expect(found == ["中文\u{FFFD}", "好"])
        #expect(counts == DocumentCounts(documents: 2, repairedLines: 1))
    }

    @Test func otherEncodingsAreRefusedByName() {
        let legacy: [UInt8] = [0xD6, 0xD0, 0xCE, 0xC4, 0xB1, 0xE0, 0xC2, 0xEB, 0x0A]
        #expect { try documents(Array("ascii\n".utf8) + legacy) } throws: { "\($0)".contains("line 2 is GB18030") }
        #expect { try documents([0xFF, 0xFE, 0x2D, 0x4E, 0x0A, 0]) } throws: { "\($0)".contains("iconv -f UTF-16LE") }
    }

    @Test func anEmptyFileHasNoDocument() throws {
        for format in DocumentFormat.allCases { #expect(try documents([], format: format).0.isEmpty) }
    }

    @Test func aDirectoryAndAPipeAreRefused() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.notAFile(path: directory)) { try forEachDocument(of: directory) { _ in } }
            #expect(mkfifo(directory + "/pipe", 0o600) == 0)
            #expect(throws: FileError.self) { try forEachDocument(of: directory + "/pipe") { _ in } }
        }
    }

    @Test func anEndlessLineIsRefused() {
        let line = [UInt8](repeating: 0x61, count: DocumentReader.longestDocument + 1)
        #expect { try documents(line) } throws: { "\($0)".contains("line 1 is longer than 67108864 bytes") }
    }

    @Test(arguments: [
        ("a.jsonl", DocumentFormat.jsonLines), ("a.jsonl.gz", .jsonLines), ("a.txt.zst", .lines), ("a", .lines),
    ])
    func theNameTellsTheFormat(_ name: String, _ format: DocumentFormat) {
        #expect(DocumentFormat(path: name) == format)
    }
}
