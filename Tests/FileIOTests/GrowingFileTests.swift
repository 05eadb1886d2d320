import FileIO
import Foundation
import TestSupport
import Testing

@Suite struct GrowingFileTests {
    @Test func severalProcessesWriteOneAfterAnother() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/grows"
            func append(_ text: String, cut: Int?) throws -> Int {
                var file = try GrowingFile(path)
                if let cut { try file.cut(to: cut) }
                try file.append(Array(text.utf8))
                try file.synchronize()
                return file.length
            }
            let lengths = [try append("one", cut: nil), try append("two", cut: nil), try append("x", cut: 4)]
            #expect(lengths == [3, 6, 5])
            #expect(try readFile(path) == Array("onetx".utf8))
        }
    }

    @Test func aFileThatLostItsNameTakesNoMore() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/grows"
            var file = try GrowingFile(path)
            try file.append([1])
            try FileManager.default.removeItem(atPath: path)
            let error = FileError.unwritable(
                path: path, reason: "it was removed or moved while it was being written")
            #expect(throws: error) { try file.append([2]) }
        }
    }

    @Test func aDirectoryIsNoFileToWrite() throws {
        #expect(throws: FileError.self) { _ = try GrowingFile(NSTemporaryDirectory()) }
    }

    @Test func thereIsRoomWhereTestsRunAndNoneKnownNowhere() throws {
        #expect(try #require(freeBytes(at: NSTemporaryDirectory())) > 0)
        #expect(freeBytes(at: NSTemporaryDirectory() + "/nowhere/at/all") == nil)
    }
}
