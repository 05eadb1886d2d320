import Foundation
import TestSupport
import Testing

@testable import FileIO

@Suite(.serialized) struct TemporaryPathsTests {
    @Test func `what is half-written goes, what is finished stays`() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/done.txt", "done".utf8)
            var file = try OutputFile(directory + "/half.txt")
            try file.write("half")
            let folder = try OutputDirectory(directory + "/folder", replacing: false)
            try writeFile(folder.path(of: "part.txt"), "part".utf8)
            let names = try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
            #expect(
                names == [
                    ".folder.tmp-\(getpid())", ".folder.tmp-lock", ".half.txt.tmp-\(getpid())", "done.txt",
                ])
            TemporaryPaths.delete { $0.hasPrefix(directory) }
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["done.txt"])
        }
    }
}
