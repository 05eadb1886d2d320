import FileIO
import Foundation
import TestSupport
import Testing

struct CopyFileTests {
    @Test(arguments: [0, 1, 1 << 20, 3_000_001])
    func copiesEveryByte(_ count: Int) throws {
        try withTemporaryDirectory { directory in
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try writeFile(directory + "/a", bytes)
            try copyFile(from: directory + "/a", to: directory + "/b")
            let copied = try readFile(directory + "/b")
            #expect(copied == bytes)
        }
    }

    @Test func replacesNothing() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a", [1])
            try writeFile(directory + "/b", [2])
            #expect(throws: FileError.alreadyExists(path: directory + "/b")) {
                try copyFile(from: directory + "/a", to: directory + "/b")
            }
            let kept = try readFile(directory + "/b")
            #expect(kept == [2])
        }
    }

    @Test func absentAndUnfitSourcesLeaveNothing() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.missing(path: directory + "/a")) {
                try copyFile(from: directory + "/a", to: directory + "/b")
            }
            #expect(throws: FileError.self) { try copyFile(from: directory, to: directory + "/b") }
            mkfifo(directory + "/fifo", 0o600)
            #expect(throws: FileError.unreadable(path: directory + "/fifo", reason: "not a regular file")) {
                try copyFile(from: directory + "/fifo", to: directory + "/b")
            }
            unlink(directory + "/fifo")
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names == [])
        }
    }

    @Test func releasedPagesReadTheSame() throws {
        try withTemporaryDirectory { directory in
            let bytes = (0..<100_000).map { UInt8(truncatingIfNeeded: $0) }
            try writeFile(directory + "/a", bytes)
            let file = try MappedFile(directory + "/a")
            for range in [0..<100_000, 5..<99_999, 50_000..<50_001, 90_000..<200_000] {
                file.releasePages(range)
                #expect(file.withUnsafeBytes { Array($0) } == bytes)
            }
        }
    }
}
