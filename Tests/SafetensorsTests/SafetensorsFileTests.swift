import FileIO
import Foundation
import OrderedJSON
import Safetensors
import TestSupport
import Testing

/// Files that are sound, some of them odd.
struct SafetensorsFileTests {
    private func open(_ header: String, data: [UInt8] = []) throws -> SafetensorsFile {
        try withTemporaryDirectory { directory in
            let length = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
            try writeFile(directory + "/f.safetensors", length + Array(header.utf8) + data)
            return try SafetensorsFile(directory + "/f.safetensors")
        }
    }

    @Test func missingFileIsAFileError() {
        #expect(throws: FileError.missing(path: "/no/such.safetensors")) {
            try SafetensorsFile("/no/such.safetensors")
        }
    }

    @Test func directoryIsAFileError() throws {
        try withTemporaryDirectory { directory in
            _ = #expect(throws: FileError.notAFile(path: directory)) { _ = try SafetensorsFile(directory) }
        }
    }

    @Test func noTensorsAtAll() throws {
        #expect(try open("{}").tensors.isEmpty)
        #expect(try open("{\"__metadata__\":{\"format\":\"pt\"}}").metadata == ["format": "pt"])
    }

    @Test func whitespaceAroundTheHeader() throws {
        let header = "  {\"t\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[0,2]}}    "
        let file = try open(header, data: [7, 9])
        #expect(try file.withUnsafeBytes(of: "t") { Array($0) } == [7, 9])
    }

    @Test func scalarsAndEmptyTensors() throws {
        let header =
            "{\"e\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[0,0]},"
            + "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}"
        let file = try open(header, data: [0, 0, 128, 63])
        #expect(try file.floats(of: "s") == [1])
        #expect(try file.floats(of: "e") == [])
        #expect(file["e"]?.count == 0 && file["s"]?.count == 1)
    }

    /// The spellings that serde takes beside the usual one.
    @Test(arguments: [
        "{\"t\":[\"U8\",[2],[0,2]]}", "{\"t\":[{\"U8\":null},[2],[0,2]],\"__metadata__\":null}",
        "{\"t\":{\"dtype\":{\"U8\":null},\"shape\":[2],\"data_offsets\":[0,2],\"x\":[-1e-999,{\"y\":1e300}]}}",
    ])
    func spellingsOfTheReferenceReader(_ header: String) throws {
        let file = try open(header, data: [7, 9])
        #expect(try file.withUnsafeBytes(of: "t") { Array($0) } == [7, 9])
        #expect(file.metadata == [:])
    }

    @Test(arguments: ["9223372036854775807,0", "4611686018427387904,2,0", "0,9223372036854775807,9223372036854775807"])
    func hugeDimensionsOfEmptyTensors(_ shape: String) throws {
        let file = try open("{\"t\":{\"dtype\":\"U8\",\"shape\":[\(shape)],\"data_offsets\":[0,0]}}")
        #expect(file["t"]?.count == 0 && file["t"]?.byteCount == 0)
    }

    @Test func tensorsStandByOffsetNotByHeaderOrder() throws {
        let header =
            "{\"b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]},"
            + "\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}"
        let file = try open(header, data: [3, 4])
        #expect(file.tensors.map(\.name) == ["a", "b"])
        #expect(try file.withUnsafeBytes(of: "b") { Array($0) } == [4])
    }

    @Test(arguments: ["a\\u0000b", "../../etc/passwd", String(repeating: "n", count: 65_536)])
    func oddNamesAreOnlyNames(_ name: String) throws {
        let file = try open("{\"\(name)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", data: [5])
        #expect(try file.withUnsafeBytes(of: file.tensors[0]) { Array($0) } == [5])
    }

    @Test func aHundredThousandTensors() throws {
        let entries = (0..<100_000).map {
            "\"t\($0)\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[\($0),\($0 + 1)]}"
        }
        let file = try open("{" + entries.joined(separator: ",") + "}", data: (0..<100_000).map { UInt8($0 & 255) })
        #expect(file.tensors.count == 100_000)
        #expect(try file.withUnsafeBytes(of: "t99999") { $0[0] } == UInt8(99_999 & 255))
    }

    @Test func absentTensorIsNamed() throws {
        let file = try open("{}")
        #expect(throws: SafetensorsError.noTensor(path: file.path, tensor: "w")) { try file.floats(of: "w") }
    }

    @Test func quantizedTensorIsRefusedAsFloats() throws {
        let file = try open("{\"q\":{\"dtype\":\"I8\",\"shape\":[1],\"data_offsets\":[0,1]}}", data: [1])
        #expect(throws: SafetensorsError.notFloats(tensor: "q", type: .int8)) { try file.floats(of: "q") }
    }
}
