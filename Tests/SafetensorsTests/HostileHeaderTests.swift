import FileIO
import Foundation
import Testing

@testable import Safetensors

/// Each kind of unsound file gives its own error and never a trap.
struct HostileHeaderTests {
    /// A file with this header text, spelled length and data.
    private func file(_ header: [UInt8], length: UInt64? = nil, data: Int = 0) -> [UInt8] {
        withUnsafeBytes(of: (length ?? UInt64(header.count)).littleEndian) { Array($0) }
            + header + [UInt8](repeating: 0, count: data)
    }

    private func file(_ header: String, length: UInt64? = nil, data: Int = 0) -> [UInt8] {
        file(Array(header.utf8), length: length, data: data)
    }

    private func failure(_ bytes: [UInt8]) -> SafetensorsError? {
        do throws(SafetensorsError) {
            _ = try bytes.withUnsafeBytes { bytes in
                Result { () throws(SafetensorsError) in try SafetensorsHeader(validating: bytes, path: "f") }
            }.get()
            return nil
        } catch {
            return error
        }
    }

    private func one(_ entry: String, data: Int) -> SafetensorsError? {
        failure(file("{\"t\":\(entry)}", data: data))
    }

    @Test func emptyFile() { #expect(failure([]) == .foreign(path: "f", kind: .empty)) }

    @Test func sevenBytes() {
        #expect(failure([1, 2, 3, 4, 5, 6, 7]) == .headerTooSmall(path: "f", bytes: 7))
    }

    @Test func lengthOfTwoToThe63() {
        #expect(failure(file("{}", length: 1 << 63)) == .headerTooLarge(path: "f", length: 1 << 63))
    }

    @Test func lengthOfAllOnes() {
        #expect(failure(file("{}", length: .max)) == .headerTooLarge(path: "f", length: .max))
    }

    @Test func lengthJustOverTheLimit() {
        #expect(failure(file("{}", length: 100_000_001)) == .headerTooLarge(path: "f", length: 100_000_001))
    }

    @Test func lengthBeyondTheFile() {
        #expect(
            failure(file("{}", length: 100_000_000))
                == .invalidHeaderLength(path: "f", length: 100_000_000, fileBytes: 10))
        #expect(failure(file("{}", length: 3)) == .invalidHeaderLength(path: "f", length: 3, fileBytes: 10))
    }

    @Test func notUTF8() {
        #expect(failure(file([0x7B, 0xFF, 0x7D])) == .invalidHeader(path: "f", offset: 9))
        #expect(failure(file(Array("{\"中".utf8.dropLast()))) == .invalidHeader(path: "f", offset: 10))
    }

    @Test func placesInTheHeaderAreCountedFromTheStartOfTheFile() {
        #expect(
            failure(file("{\"t\":}"))
                == .invalidHeaderJSON(path: "f", reason: "not valid JSON at byte 13: a value was expected"))
    }

    @Test(arguments: ["", "{", "nonsense", "{\"t\":}", "{} {}", "{\"t\":{\"dtype\":\"F32\""])
    func notJSON(_ header: String) {
        guard case .invalidHeaderJSON = failure(file(header)) else {
            Issue.record("\(String(describing: failure(file(header))))")
            return
        }
    }

    @Test(arguments: ["[]", "1", "\"x\"", "null", "[{\"t\":1}]"])
    func notAnObject(_ header: String) {
        #expect(failure(file(header)) == .invalidHeaderJSON(path: "f", reason: "not a JSON object"))
    }

    @Test func nestedBeyondAllReason() {
        let header = "{\"t\":" + String(repeating: "[", count: 1_000_000)
        guard case .invalidHeaderJSON = failure(file(header)) else {
            Issue.record("deep nesting was not refused")
            return
        }
    }

    @Test(arguments: ["{\"a\":{\"b\":\"c\"}}", "{\"a\":1}", "[]", "\"pt\"", "false"])
    func metadataThatIsNotStrings(_ metadata: String) {
        guard case .invalidEntry(_, "__metadata__", _) = failure(file("{\"__metadata__\":\(metadata)}")) else {
            Issue.record("metadata \(metadata) was taken")
            return
        }
    }

    @Test func duplicateKey() {
        let entry = "{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}"
        guard case .invalidHeaderJSON(_, let reason) = failure(file("{\"t\":\(entry),\"t\":\(entry)}", data: 1)) else {
            Issue.record("a duplicate key was taken")
            return
        }
        #expect(reason.contains("repeated"))
    }

    @Test func overlap() {
        let header =
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}"
        #expect(
            failure(file(header, data: 6)) == .invalidOffset(path: "f", tensor: "b", expected: 4, found: 2))
    }

    /// The reference reader takes them: the last one counts there.
    @Test(arguments: [
        "{\"__metadata__\":{\"a\":\"b\",\"a\":\"c\"}}", "{\"__metadata__\":{},\"__metadata__\":{}}",
        "{\"t\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":{\"a\":1,\"a\":2}}}",
        "{\"\u{E9}\":[\"U8\",[0],[0,0]],\"e\u{301}\":[\"U8\",[0],[0,0]]}",
    ])
    func otherRepeatedKeys(_ header: String) {
        guard case .invalidHeaderJSON(_, let reason) = failure(file(header)) else {
            Issue.record("a duplicate key was taken")
            return
        }
        #expect(reason.contains("repeated"))
    }

    @Test func hole() {
        let header =
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[5,9]}}"
        #expect(
            failure(file(header, data: 9)) == .invalidOffset(path: "f", tensor: "b", expected: 4, found: 5))
    }

    @Test func holeAtTheStart() {
        #expect(
            one("{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[1,2]}", data: 2)
                == .invalidOffset(path: "f", tensor: "t", expected: 0, found: 1))
    }

    @Test func beginAfterEnd() {
        let header =
            "{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
            + "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[4,0]}}"
        #expect(
            failure(file(header, data: 4)) == .invalidOffset(path: "f", tensor: "b", expected: 4, found: 0))
    }

    @Test(arguments: [
        "[-1,0]", "[0,-0]", "[0.0,1.0]", "[0,1e0]", "[0,18446744073709551616]", "[0]", "[0,1,2]", "[]", "{}", "\"0\"",
        "[0,null]",
    ])
    func unfitOffsets(_ offsets: String) {
        let found = one("{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":\(offsets)}", data: 1)
        #expect(
            found
                == .invalidEntry(path: "f", tensor: "t", reason: "data_offsets is not a pair of whole numbers"))
    }

    @Test(arguments: ["[-1]", "[1.5]", "[\"1\"]", "1", "[18446744073709551616]", "{}"])
    func unfitShape(_ shape: String) {
        #expect(
            one("{\"dtype\":\"U8\",\"shape\":\(shape),\"data_offsets\":[0,1]}", data: 1)
                == .invalidEntry(path: "f", tensor: "t", reason: "shape is not a list of whole numbers"))
    }

    @Test(arguments: ["[4294967296,4294967296]", "[9223372036854775807]", "[9223372036854775807,9223372036854775807]"])
    func shapeProductBeyond64Bits(_ shape: String) {
        #expect(
            one("{\"dtype\":\"F32\",\"shape\":\(shape),\"data_offsets\":[0,0]}", data: 0)
                == .validationOverflow(path: "f", tensor: "t"))
    }

    @Test(arguments: ["1e999", "[[-1e400]]", "{\"a\":\(String(repeating: "9", count: 400))}"])
    func numbersOutOfRangeInMembersThatMeanNothing(_ number: String) {
        #expect(
            one("{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0],\"x\":\(number)}", data: 0)
                == .invalidEntry(path: "f", tensor: "t", reason: "a number in it is out of range"))
    }

    @Test(arguments: ["[\"U8\",[0]]", "[\"U8\",[0],[0,0],0]", "[[0],\"U8\",[0,0]]", "[]"])
    func entryAsAnArrayOfOtherMembers(_ entry: String) {
        guard case .invalidEntry(_, "t", _) = one(entry, data: 0) else {
            Issue.record("entry \(entry) was taken")
            return
        }
    }

    @Test(arguments: ["{}", "{\"U8\":1}", "{\"U8\":null,\"I8\":null}", "{\"U9\":null}", "[\"U8\"]"])
    func typeAsAnotherObject(_ type: String) {
        guard case .invalidEntry(_, "t", _) = one("[\(type),[0],[0,0]]", data: 0) else {
            Issue.record("type \(type) was taken")
            return
        }
    }

    @Test func sizeMismatch() {
        #expect(
            one("{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}", data: 4)
                == .tensorInvalidInfo(path: "f", tensor: "t", expected: 8, found: 4))
    }

    @Test(arguments: ["{}", "{\"shape\":[1]}", "{\"dtype\":1}", "{\"dtype\":\"F33\"}", "[]", "null"])
    func unknownOrMissingType(_ entry: String) {
        guard case .invalidEntry(_, "t", _) = one(entry, data: 0) else {
            Issue.record("entry \(entry) was taken")
            return
        }
    }

    @Test func partOfAByte() {
        #expect(
            one("{\"dtype\":\"F4\",\"shape\":[3],\"data_offsets\":[0,1]}", data: 1)
                == .misalignedSlice(path: "f", tensor: "t"))
    }

    @Test func oneByteShort() {
        #expect(
            one("{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}", data: 3)
                == .metadataIncompleteBuffer(path: "f", expected: 65, found: 64))
    }

    @Test func oneByteExtra() {
        #expect(
            one("{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}", data: 5)
                == .metadataIncompleteBuffer(path: "f", expected: 65, found: 66))
    }

    @Test func hugeOffsetsWithoutOverflow() {
        let entry = "{\"dtype\":\"U8\",\"shape\":[9223372036854775800],\"data_offsets\":[0,9223372036854775800]}"
        guard let error = one(entry, data: 0) else {
            Issue.record("huge offsets were taken")
            return
        }
        #expect("\(error)".contains("f: "))
    }

    @Test(arguments: [
        (
            "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            SafetensorsError.ForeignKind.gitLFSPointer
        ),
        ("<!DOCTYPE html><html><body>404</body></html>", .webPage),
        ("<html>\n<head>", .webPage),
        ("PK\u{3}\u{4}archive/data.pkl and more", .pickle),
        ("GGUF\u{3}\u{0}\u{0}\u{0}", .gguf),
    ])
    func otherKindsOfFile(_ text: String, _ kind: SafetensorsError.ForeignKind) {
        #expect(failure(Array(text.utf8)) == .foreign(path: "f", kind: kind))
    }

    @Test func oldPickle() {
        #expect(failure([0x80, 0x02] + [UInt8](repeating: 0x8A, count: 30)) == .foreign(path: "f", kind: .pickle))
    }

    @Test func everyErrorIsOneLineThatNamesTheFile() {
        let name = "a\u{0}b\nc" + String(repeating: "x", count: 65_536)
        let error = SafetensorsError.validationOverflow(path: "f", tensor: name)
        #expect("\(error)".hasPrefix("f: ") && !"\(error)".contains("\n") && "\(error)".count < 300)
    }

    @Test func everyTruncationOfASoundFileIsRefused() {
        let sound = file("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", data: 4)
        #expect(failure(sound) == nil)
        for length in sound.indices { #expect(failure(Array(sound[..<length])) != nil) }
    }

    /// One changed byte gives a sound file or an error.
    @Test func everyChangedByteIsSurvived() {
        let sound = file("{\"t\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]}}", data: 4)
        for index in sound.indices {
            for value in [0x00, 0x20, 0x22, 0x2D, 0x39, 0x5B, 0x7D, 0x80, 0xFF] as [UInt8] {
                var changed = sound
                changed[index] = value
                _ = failure(changed)
            }
        }
    }
}
