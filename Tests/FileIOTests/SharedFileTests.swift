import Foundation
import TestSupport
import Testing

@testable import FileIO

struct SharedFileTests {
    @Test func aLinkIsTheFileThatASymbolicLinkNames() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a", [1, 2])
            try FileManager.default.createSymbolicLink(atPath: directory + "/s", withDestinationPath: directory + "/a")
            #expect(try linkFile(from: directory + "/s", to: directory + "/b"))
            let number = try FileManager.default.attributesOfItem(atPath: directory + "/b")[.systemFileNumber] as? Int
            let same = try FileManager.default.attributesOfItem(atPath: directory + "/a")[.systemFileNumber] as? Int
            #expect(number == same)
            #expect(throws: FileError.alreadyExists(path: directory + "/b")) {
                try linkFile(from: directory + "/a", to: directory + "/b")
            }
        }
    }

    /// Where blocks cannot be shared, nothing is left; where they can, the bytes are the same.
    @Test func aCloneIsWholeOrNotThere() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/a", [1, 2, 3])
            let isCloned = try cloneFile(from: directory + "/a", to: directory + "/b")
            #expect(FileManager.default.fileExists(atPath: directory + "/b") == isCloned)
            if isCloned {
                let copy = try readFile(directory + "/b")
                #expect(copy == [1, 2, 3])
            }
        }
    }

    @Test func bytesAsPeopleSayThem() {
        #expect([17, 1000, 4_250_000, 13_899_999_999].map(byteText) == ["17 bytes", "1.0 kB", "4.2 MB", "13.8 GB"])
    }
}
