import FileIO
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Pretraining

@Suite struct TokenCacheDirectoryTests {
    private func caches(_ directory: String, _ observer: RunObserver = RunObserver(), encoded: Counter? = nil)
        -> TokenCacheDirectory
    {
        let tokenizer = TrainingTokenizer(
            path: "bytes", digest: "bytes", pieceCount: 259, beginID: 1, endID: 2
        ) { document in
            encoded?.increase()
            return document.map { Int32($0) + 3 }
        }
        return TokenCacheDirectory(directory + "/tokens", tokenizer: tokenizer, threads: 1, observer: observer)
    }

    private final class Counter: Sendable {
        private let value = Atomic(0)
        func increase() { value.add(1, ordering: .relaxed) }
        var count: Int { value.load(ordering: .relaxed) }
    }

    @Test func aTextIsTokenizedOnceUntilItChanges() throws {
        try withTemporaryDirectory { directory in
            let encoded = Counter()
            let caches = caches(directory, encoded: encoded)
            try writeFile(directory + "/a.txt", "one\ntwo\n".utf8)
            let first = try caches.tokens(of: TextSource([directory + "/a.txt"]), named: "a").trained
            #expect(try caches.tokens(of: TextSource([directory + "/a.txt"]), named: "a").trained.path == first.path)
            #expect(encoded.count == 2)
            // The same bytes under another name are the same text.
            try writeFile(directory + "/b.txt", "one\ntwo\n".utf8)
            #expect(try caches.tokens(of: TextSource([directory + "/b.txt"]), named: "b").trained.path == first.path)
            try writeFile(directory + "/a.txt", "one\nTwo\n".utf8)
            #expect(try caches.tokens(of: TextSource([directory + "/a.txt"]), named: "a").trained.path != first.path)
            #expect(encoded.count == 4)
        }
    }

    @Test func ofManyAtOnceOneTokenizesAndAllGetTheSame() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", sampleDocuments(300).joined(separator: "\n").utf8)
            let text = try TextSource([directory + "/a.txt"])
            let encoded = Counter()
            let caches = caches(directory, encoded: encoded)
            let found = Mutex<[String: Int]>([:])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                let cache = try? caches.tokens(of: text, named: "a").trained
                found.withLock { $0["\(cache?.path ?? "none") \(cache?.counts.documents ?? 0)", default: 0] += 1 }
            }
            #expect(found.withLock { $0.count } == 1)
            #expect(found.withLock { $0.first?.key.hasSuffix(".tokens 300") } == true)
            #expect(encoded.count == 300)
        }
    }

    @Test func aDamagedCacheIsNamedAndMadeAgain() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "one\ntwo\n".utf8)
            let whole = try makeCache(of: directory + "/a.txt", in: directory).path
            let bytes = try readFile(whole)
            for damaged in [Array(bytes.dropLast()), [], Array(repeating: 0, count: bytes.count)] {
                try writeFile(whole, damaged)
                let notes = Mutex<[String]>([])
                let observer = RunObserver(note: { note in notes.withLock { $0.append(note) } })
                let again = try makeCache(of: directory + "/a.txt", in: directory, observer: observer)
                #expect(try readFile(again.path) == bytes)
                #expect(notes.withLock { $0.contains { $0.hasPrefix(whole + ": is not a whole token cache") } })
            }
        }
    }

    @Test func aTextThatChangesWhileItIsReadIsRefusedAndNothingIsKept() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.txt"
            try writeFile(path, "one\ntwo\n".utf8)
            let text = try TextSource([path])
            try writeFile(path, "One\ntwo\n".utf8)
            #expect(throws: TrainingDataError.changedText(path: path)) {
                try caches(directory).tokens(of: text, named: "a")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: directory + "/tokens")
            #expect(!left.contains { $0.hasSuffix(".tokens") })
        }
    }

    @Test func whatAKilledRunLeftHalfWrittenIsRemoved() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "one\ntwo\n".utf8)
            let whole = try makeCache(of: directory + "/a.txt", in: directory).path
            let name = whole.split(separator: "/").last.map(String.init) ?? ""
            try FileManager.default.removeItem(atPath: whole)
            try writeFile(directory + "/tokens/.\(name).tmp-1", "half".utf8)
            try writeFile(directory + "/tokens/.other.tokens.tmp-1", "half".utf8)
            _ = try makeCache(of: directory + "/a.txt", in: directory)
            let left = try FileManager.default.contentsOfDirectory(atPath: directory + "/tokens")
            #expect(left.filter { $0.contains(".tmp-") } == [".other.tokens.tmp-1"])
        }
    }

    @Test func tokenizingStopsWhenAsked() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a.txt", "one\ntwo\n".utf8)
            let observer = RunObserver(isStopped: { true })
            #expect(throws: StopRequest.self) {
                try caches(directory, observer).tokens(of: TextSource([directory + "/a.txt"]), named: "a")
            }
            #expect(try makeCache(of: directory + "/a.txt", in: directory).counts.documents == 2)
        }
    }

    @Test func aTextWithoutDocumentsIsRefused() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/a.txt"
            try writeFile(path, "\n \n".utf8)
            #expect(throws: TrainingDataError.noDocuments(paths: [path])) {
                try caches(directory).tokens(of: TextSource([path]), named: "a")
            }
        }
    }
}
