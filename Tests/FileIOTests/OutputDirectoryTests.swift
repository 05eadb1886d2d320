import Foundation
import TestSupport
import Testing

@testable import FileIO

@Suite struct OutputDirectoryTests {
    private func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }

    /// Writes a directory `out` with one file.
    private func write(_ text: String, in directory: String, replacing: Bool) throws {
        let output = try OutputDirectory(directory + "/out", replacing: replacing)
        try writeFile(output.path(of: "file"), text.utf8)
        try output.commit()
    }

    private func text(in directory: String) throws -> String {
        String(decoding: try readFile(directory + "/out/file"), as: UTF8.self)
    }

    @Test func `an older directory is replaced, and nothing else stays`() throws {
        try withTemporaryDirectory { directory in
            try write("old", in: directory, replacing: false)
            try writeFile(directory + "/out/other", [])
            try write("new", in: directory, replacing: true)
            #expect(try text(in: directory) == "new")
            #expect(try names(directory) == ["out"])
            #expect(try names(directory + "/out") == ["file"])
        }
    }

    @Test func `a file or a dangling link under its name is replaced only when asked`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/out"
            try writeFile(path, "mine".utf8)
            #expect(throws: FileError.alreadyExists(path: path)) {
                try write("new", in: directory, replacing: false)
            }
            try FileManager.default.removeItem(atPath: path)
            symlink("/no/such", path)
            #expect(throws: FileError.alreadyExists(path: path)) {
                try write("new", in: directory, replacing: false)
            }
            try write("new", in: directory, replacing: true)
            #expect(try names(directory) == ["out"])
            #expect(try text(in: directory) == "new")
        }
    }

    @Test func `what appears meanwhile is kept`() throws {
        try withTemporaryDirectory { directory in
            let output = try OutputDirectory(directory + "/out", replacing: false)
            let path = output.path
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
            do throws(FileError) {
                try output.commit()
                Issue.record("it was replaced")
            } catch {
                #expect(error == .alreadyExists(path: path))
            }
            #expect(try names(directory) == ["out"])
            #expect(try names(path) == [])
        }
    }

    @Test func `one writes a directory at a time`() throws {
        try withTemporaryDirectory { directory in
            let first = try OutputDirectory(directory + "/out", replacing: true)
            #expect(throws: FileError.busy(path: directory + "/out")) {
                try write("second", in: directory, replacing: true)
            }
            try writeFile(first.path(of: "file"), "first".utf8)
            try first.commit()
            #expect(try text(in: directory) == "first")
            try write("second", in: directory, replacing: true)
            #expect(try text(in: directory) == "second")
            #expect(try names(directory) == ["out"])
        }
    }

    @Test func `what a killed process left is cleared away`() throws {
        try withTemporaryDirectory { directory in
            for name in [".out.tmp-1/file", ".out.tmp-22.old/file", ".other.tmp-1/file", "out/file"] {
                let path = directory + "/" + name
                try FileManager.default.createDirectory(
                    atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
                try writeFile(path, "left".utf8)
            }
            try writeFile(directory + "/.out.tmp-lock", [])
            try write("new", in: directory, replacing: true)
            #expect(try names(directory) == [".other.tmp-1", "out"])
            #expect(try text(in: directory) == "new")
        }
    }

    @Test func `a directory that was set aside comes back if nothing took its place`() throws {
        try withTemporaryDirectory { directory in
            let aside = directory + "/.out.tmp-22.old"
            try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: false)
            try writeFile(aside + "/file", "old".utf8)
            #expect(throws: FileError.alreadyExists(path: directory + "/out")) {
                try write("new", in: directory, replacing: false)
            }
            #expect(try text(in: directory) == "old")
            #expect(try names(directory) == ["out"])
        }
    }

    @Test(arguments: ["", "/", "/proc/none/out", "/dev/null/out"])
    func `a path where nothing can be made is an error`(_ path: String) {
        let error = #expect(throws: FileError.self) {
            let output = try OutputDirectory(path, replacing: true)
            try output.commit()
        }
        #expect(error?.description.contains("cannot be written") == true)
    }

    @Test func `missing directories above it are made`() throws {
        try withTemporaryDirectory { directory in
            try write("new", in: directory + "/a/b", replacing: false)
            #expect(try names(directory + "/a/b") == ["out"])
        }
    }
}

@Suite struct OutputFileTests {
    @Test func `a file is replaced only when asked`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/file"
            try writeFile(path, "one".utf8)
            #expect(throws: FileError.alreadyExists(path: path)) { try writeFile(path, "two".utf8, replacing: false) }
            #expect(try readFile(path) == Array("one".utf8))
            try writeFile(path, "three".utf8)
            #expect(try readFile(path) == Array("three".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["file"])
        }
    }

    @Test func `what lies under the temporary name is not written through`() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/mine", "mine".utf8)
            symlink("mine", temporarySibling(of: directory + "/file"))
            try writeFile(directory + "/file", "new".utf8)
            #expect(try readFile(directory + "/mine") == Array("mine".utf8))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory).sorted() == ["file", "mine"])
        }
    }
}

@Suite struct MappedRangesTests {
    @Test func `an address in a mapped file leads to its path`() throws {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/file", [1, 2, 3])
            var file: MappedFile? = try MappedFile(directory + "/file")
            let address = try #require(file?.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) })
            #expect(MappedRanges.path(at: address + 2) == directory + "/file")
            file = nil
            #expect(MappedRanges.path(at: address) != directory + "/file")
        }
    }
}
