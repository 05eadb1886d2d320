import Foundation
import TestSupport
import Testing

@testable import FileIO

struct PlacedOutputFileTests {
    private func write(_ bytes: [UInt8], to file: PlacedOutputFile, at offset: Int) throws {
        try file.write(bytes, at: offset)
    }

    @Test func bytesInAnyOrder() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/out"
            let file = try PlacedOutputFile(path, byteCount: 9)
            try write([7, 8, 9], to: file, at: 6)
            try write([1, 2, 3, 4, 5, 6], to: file, at: 0)
            #expect(!FileManager.default.fileExists(atPath: path))
            try file.commit()
            let bytes = try readFile(path)
            #expect(bytes == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        }
    }

    @Test func readingBackSeesAChangedByte() throws {
        try withTemporaryDirectory { directory in
            let file = try PlacedOutputFile(directory + "/out", byteCount: 1 << 20)
            let bytes = (0..<1 << 20).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try write(bytes, to: file, at: 0)
            #expect(try bytes.withUnsafeBytes { try file.holds($0, at: 0) })
            for place in [0, (1 << 18) - 1, 1 << 18, (1 << 20) - 1] {
                try write([bytes[place] ^ 1], to: file, at: place)
                #expect(try !bytes.withUnsafeBytes { try file.holds($0, at: 0) })
                try write([bytes[place]], to: file, at: place)
            }
            // Bytes beyond the end are not there.
            #expect(try ![0, 0].withUnsafeBytes { try file.holds($0, at: 1 << 20) })
        }
    }

    @Test func droppedItLeavesNothing() throws {
        try withTemporaryDirectory { directory in
            do {
                let file = try PlacedOutputFile(directory + "/out", byteCount: 4)
                try write([1, 2, 3, 4], to: file, at: 0)
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(left == [])
        }
    }

    /// So many that the file system refuses at once: to take what there is would harm others.
    @Test func moreBytesThanAFileCanHave() throws {
        try withTemporaryDirectory { directory in
            #expect(throws: FileError.self) { try PlacedOutputFile(directory + "/out", byteCount: 1 << 50) }
            let left = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(left == [])
            let error = #expect(throws: FileError.self) { try requireSpace(1 << 60, for: "out", at: directory) }
            #expect(error?.description.hasPrefix("out: needs 1152921504.6 GB of disk, but ") == true)
            try requireSpace(1, for: "out", at: directory)
        }
    }

    @Test func inputIsReadFromAnyPlace() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/in"
            try writeFile(path, [1, 2, 3, 4, 5])
            let file = try InputFile(path)
            var buffer = [UInt8](repeating: 0, count: 3)
            try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 1) }
            #expect(buffer == [2, 3, 4])
            #expect(throws: FileError.changed(path: path)) {
                try buffer.withUnsafeMutableBytes { try file.read(into: $0, at: 3) }
            }
            #expect(throws: FileError.missing(path: directory + "/none")) { try InputFile(directory + "/none") }
        }
    }
}
