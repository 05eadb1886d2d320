import TestSupport
import Testing

@testable import FileIO

@Suite struct FileLockTests {
    @Test func aLockIsHeldByOneUntilItEnds() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/lock"
            func isFree() throws -> Bool {
                if try FileLock(path) != nil { true } else { false }
            }
            do {
                let lock = try FileLock(path)
                #expect(try !isFree())
                withExtendedLifetime(lock) {}
            }
            #expect(try isFree())
        }
    }

    @Test func aLockThatCannotBeWrittenIsAnError() throws {
        try withTemporaryDirectory { directory in
            let error = #expect(throws: FileError.self) {
                if try FileLock(directory + "/missing/lock") != nil { Issue.record("a lock without a directory") }
            }
            #expect(error?.description.hasPrefix(directory + "/missing/lock: cannot be written") == true)
        }
    }
}

@Suite struct FileIdentityTests {
    @Test func aFileKeepsItsIdentityUntilItIsWrittenOrReplaced() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file"
            try writeFile(path, "one".utf8)
            let identity = try FileIdentity(path)
            #expect(try FileIdentity(path) == identity)
            try writeFile(path, "two".utf8)
            #expect(try FileIdentity(path) != identity)
            #expect(throws: FileError.missing(path: directory + "/none")) { try FileIdentity(directory + "/none") }
        }
    }
}
