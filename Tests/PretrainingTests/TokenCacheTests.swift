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

    @Test func whatReadingMetIsKept() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", Array("a\n\nb\0c\n \n\u{7A0B}".utf8) + [0xFF, 0x0A])
            let counts = try makeCache(of: directory + "/a.txt", in: directory).counts
            #expect(counts.documents == 3)
            #expect(counts.blankLines == 2)
            #expect(counts.nulBytes == 1)
            #expect(counts.repairedLines == 1)
            // U+FFFD takes the place of the broken byte.
            #expect(counts.textBytes == 1 + 2 + 6)
            #expect(counts.tokens == counts.textBytes + 6)
            #expect(counts.beginTokens == 3)
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

    @Test func aFlippedBitIsFound() throws {
        try withTemporaryDirectory { directory in
            let bytes = try readFile(makeCache(["abc", "de"], in: directory).path)
            for index in bytes.indices {
                var wrong = bytes
                wrong[index] ^= 1
                try writeFile(directory + "/wrong", wrong)
                #expect(throws: TrainingDataError.self) { try TokenCache(directory + "/wrong") }
            }
        }
    }

    @Test func wrongDocumentStartsAreRefused() throws {
        try withTemporaryDirectory { directory in
            var bytes = try readFile(makeCache(["abc", "de"], in: directory).path)
            // 9 ids fill 36 bytes, 40 with padding; the second start follows the first.
            bytes[48] = 0xFF
            let content = bytes.dropLast(32)
            let hash = SHA256()
            hash.update(Array(content))
            try writeFile(directory + "/wrong", content + hash.digest())
            #expect(
                throws: TrainingDataError.damagedCache(path: directory + "/wrong", reason: "document 0 ends at id 255")
            ) {
                try TokenCache(directory + "/wrong")
            }
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
                try TextSource([directory + "/a.txt"], .paragraphs).cacheKey(byteTokenizer),
                try TextSource([directory + "/a.txt", directory + "/b.txt"]).cacheKey(byteTokenizer),
                try TextSource([directory + "/a.txt"]).cacheKey(other),
            ]
            #expect(Set(keys).count == keys.count)
        }
    }

    @Test func documentsAreLinesParagraphsOrJSON() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "\u{FEFF}one\r\n\n二\nlast".utf8)
            try writeFile(
                directory + "/a.jsonl", #"{"text":"one"}\#n\#n{"text":"\u4e8c","x":1}\#n{"text":"last"}\#n"#.utf8)
            func documents(_ name: String, _ division: TextDivision) throws -> [String] {
                var found: [String] = []
                _ = try TextSource([directory + name], division).forEachDocument {
                    found.append(String(decoding: $0, as: UTF8.self))
                }
                return found
            }
            #expect(try documents("/a.txt", .lines) == ["one", "二", "last"])
            #expect(try documents("/a.txt", .paragraphs) == ["one", "二\nlast"])
            for division in TextDivision.allCases {
                #expect(try documents("/a.jsonl", division) == ["one", "二", "last"])
            }
        }
    }
}
