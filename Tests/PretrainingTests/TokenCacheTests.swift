import FileIO
import Foundation
import TestSupport
import Testing

@testable import Pretraining

@Suite struct TokenCacheTests {
    @Test func theFileDoesNotDependOnThreads() throws {
        try withTemporaryDirectory { directory in
            let documents = sampleDocuments(1000)
            let one = try makeCache(documents, in: directory, threads: 1)
            let four = try makeCache(documents, in: directory, threads: 4)
            #expect(try readFile(one.path) == readFile(four.path))
        }
    }

    @Test func blankDocumentsAreCountedAndLeftOut() throws {
        try withTemporaryDirectory { directory in
            let counts = try makeCache(["a", "", "bc", ""], in: directory).counts
            #expect(counts.documents == 2)
            #expect(counts.blankDocuments == 2)
            #expect(counts.textBytes == 3)
            #expect(counts.tokens == 7)
            #expect(counts.beginTokens == 2)
        }
    }

    @Test func aDocumentWithoutIdsAndBeginPieceStillPredictsItsEnd() throws {
        try withTemporaryDirectory { directory in
            let mute = TrainingTokenizer(
                path: "mute", digest: "mute", pieceCount: 3, beginID: nil, endID: 2, encode: { _ in [] })
            let cache = try makeCache(["x", "y"], in: directory, tokenizer: mute)
            #expect(cache.counts.targets == 2)
        }
    }

    @Test func everyCutIsRefused() throws {
        try withTemporaryDirectory { directory in
            let bytes = try readFile(makeCache(["abc", "de"], in: directory).path)
            for length in 0..<bytes.count {
                let path = directory + "/cut"
                try writeFile(path, bytes.prefix(length))
                #expect(throws: (any Error).self) { try TokenCache(path) }
            }
        }
    }

    @Test func wrongDocumentStartsAreRefused() throws {
        try withTemporaryDirectory { directory in
            var bytes = try readFile(makeCache(["abc", "de"], in: directory).path)
            // 9 ids fill 36 bytes, 40 with padding; the second start follows the first.
            bytes[48] = 0xFF
            try writeFile(directory + "/wrong", bytes)
            #expect(throws: TrainingDataError.self) { try TokenCache(directory + "/wrong") }
        }
    }

    @Test func theKeyNamesTokenizerTextAndKind() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "one\n".utf8)
            try writeFile(directory + "/b.txt", "two\n".utf8)
            try writeFile(directory + "/a.jsonl", "one\n".utf8)
            let other = TrainingTokenizer(
                path: "bytes", digest: "other", pieceCount: 259, beginID: 1, endID: 2, encode: { _ in [] })
            let keys = [
                try TextSource([directory + "/a.txt"]).cacheKey(byteTokenizer),
                try TextSource([directory + "/b.txt"]).cacheKey(byteTokenizer),
                try TextSource([directory + "/a.jsonl"]).cacheKey(byteTokenizer),
                try TextSource([directory + "/a.txt", directory + "/b.txt"]).cacheKey(byteTokenizer),
                try TextSource([directory + "/a.txt"]).cacheKey(other),
            ]
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test func linesAndJSONLinesGiveTheSameDocuments() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "\u{FEFF}one\r\n\n二\nlast".utf8)
            try writeFile(
                directory + "/a.jsonl", #"{"text":"one"}\#n\#n{"text":"\u4e8c","x":1}\#n{"text":"last"}\#n"#.utf8)
            for name in ["/a.txt", "/a.jsonl"] {
                var found: [String] = []
                try forEachDocument(of: directory + name) { found.append(String(decoding: $0, as: UTF8.self)) }
                #expect(found == ["one", "", "二", "last"])
            }
            try writeFile(directory + "/bad.jsonl", "{\"text\":\"x\"}\n{\"text\":3}\n".utf8)
            #expect(throws: TrainingDataError.notJSONText(path: directory + "/bad.jsonl", line: 2)) {
                try forEachDocument(of: directory + "/bad.jsonl") { _ in }
            }
        }
    }
}
