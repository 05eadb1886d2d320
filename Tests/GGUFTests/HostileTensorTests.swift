import GGUF
import TestSupport
import Testing

/// A file that describes these tensors, followed by so many bytes of data.
private func file(
    _ tensors: [[UInt8]], count: UInt64? = nil, entries: [(String, UInt32, [UInt8])] = [], alignment: Int = 32,
    data: Int
) -> [UInt8] {
    var bytes = GGUFBytes.file(
        entries, tensorCount: count ?? UInt64(tensors.count), rest: tensors.flatMap { $0 })
    while !bytes.count.isMultiple(of: alignment) { bytes.append(0) }
    return bytes + Array(repeating: 1, count: data)
}

private func alignment(_ type: UInt32, _ value: [UInt8]) -> [(String, UInt32, [UInt8])] {
    [("general.alignment", type, value)]
}

private let a = GGUFBytes.tensor("a", [4])

private let hostileTensors: [HostileFile] = [
    HostileFile(name: "2^63 tensors", bytes: file([a], count: 1 << 63, data: 32), says: "passes the file's end"),
    HostileFile(
        name: "65,537 tensors", bytes: file([], count: 65_537, data: 65_537 * 24),
        says: "it has 65537 tensors, more than the 65536 that are read"),
    HostileFile(name: "one tensor more than there is", bytes: file([a], count: 2, data: 0), says: "end"),
    HostileFile(
        name: "name of 65 bytes", bytes: file([GGUFBytes.tensor(String(repeating: "n", count: 65), [4])], data: 32),
        says: "a tensor's name is no text of at most 64 bytes"),
    HostileFile(
        name: "name that is not UTF-8", bytes: file([little(UInt64(1)) + [0xFF] + a.dropFirst(9)], data: 32),
        says: "a tensor's name is no text"),
    HostileFile(name: "name twice", bytes: file([a, a], data: 64), says: "the tensor \"a\" is there twice"),
    HostileFile(
        name: "five dimensions", bytes: file([GGUFBytes.tensor("a", [1, 1, 1, 1, 1])], data: 32),
        says: "has 5 dimensions, more than 4"),
    HostileFile(
        name: "2^32 - 1 dimensions",
        bytes: file([GGUFBytes.text("a") + little(UInt32.max) + little(UInt64(4)) + little(UInt64(0))], data: 32),
        says: "has 4294967295 dimensions"),
    HostileFile(
        name: "dimension of 2^63", bytes: file([GGUFBytes.tensor("a", [1 << 63])], data: 32),
        says: "has a dimension of 9223372036854775808"),
    HostileFile(
        name: "product of 2^64", bytes: file([GGUFBytes.tensor("a", [1 << 32, 1 << 32])], data: 32),
        says: "no file is so large"),
    HostileFile(
        name: "2^62 numbers of four bytes", bytes: file([GGUFBytes.tensor("a", [1 << 62])], data: 32),
        says: "no file is so large"),
    HostileFile(
        name: "unknown type", bytes: file([GGUFBytes.tensor("a", [4], type: 999)], data: 32),
        says: "tensor \"a\" of the unknown type 999"),
    HostileFile(
        name: "row of half a block", bytes: file([GGUFBytes.tensor("a", [48, 2], type: 8)], data: 128),
        says: "no whole blocks"),
    HostileFile(
        name: "larger than the file", bytes: file([GGUFBytes.tensor("a", [1000])], data: 32),
        says: "tensor \"a\" of 4000 bytes passes the file's end"),
    HostileFile(
        name: "almost 2^63 bytes", bytes: file([GGUFBytes.tensor("a", [(1 << 61) - 1])], data: 32),
        says: "passes the file's end"),
    HostileFile(
        name: "position out of the file", bytes: file([GGUFBytes.tensor("a", [4], at: 1 << 40)], data: 32),
        says: "should lie at data byte 0, not 1099511627776"),
    HostileFile(
        name: "position of 2^64 - 1", bytes: file([GGUFBytes.tensor("a", [4], at: .max)], data: 32),
        says: "not 18446744073709551615"),
    HostileFile(
        name: "overlap", bytes: file([a, GGUFBytes.tensor("b", [4], at: 0)], data: 64),
        says: "tensor \"b\" should lie at data byte 32, not 0"),
    HostileFile(
        name: "hole", bytes: file([a, GGUFBytes.tensor("b", [4], at: 64)], data: 128),
        says: "tensor \"b\" should lie at data byte 32, not 64"),
    HostileFile(
        name: "between the alignments", bytes: file([a, GGUFBytes.tensor("b", [4], at: 16)], data: 64),
        says: "not 16 (a hole, an overlap or a false alignment)"),
    HostileFile(name: "one byte short", bytes: file([a], data: 15), says: "passes the file's end"),
    HostileFile(name: "no data", bytes: file([a], data: 0), says: "passes the file's end"),
    HostileFile(
        name: "alignment 0", bytes: file([a], entries: alignment(4, little(UInt32(0))), data: 32),
        says: "general.alignment is no power of two"),
    HostileFile(
        name: "alignment 24", bytes: file([a], entries: alignment(4, little(UInt32(24))), data: 32),
        says: "general.alignment is no power of two"),
    HostileFile(
        name: "alignment 2^63", bytes: file([a], entries: alignment(10, little(UInt64(1) << 63)), data: 32),
        says: "general.alignment is no power of two"),
    HostileFile(
        name: "alignment of 2^31", bytes: file([a], entries: alignment(4, little(UInt32(1) << 31)), data: 32),
        says: "passes the file's end"),
    HostileFile(
        name: "alignment -32", bytes: file([a], entries: alignment(5, little(Int32(-32))), data: 32),
        says: "general.alignment is no power of two"),
    HostileFile(
        name: "alignment in words", bytes: file([a], entries: alignment(8, GGUFBytes.text("32")), data: 32),
        says: "general.alignment is no power of two"),
]

@Suite struct HostileTensorTests {
    @Test(arguments: hostileTensors)
    func `each fault of the tensors is said in one line`(_ fault: HostileFile) throws {
        try expectRefusal(fault)
    }

    @Test func `a sound file like them is read`() throws {
        let bytes = file(
            [GGUFBytes.tensor("a", [4]), GGUFBytes.tensor("q", [32, 3], type: 8, at: 32)], data: 32 + 102)
        let tensors = try readGGUF(bytes).tensors
        #expect(tensors.map(\.name) == ["a", "q"])
        #expect(tensors.map(\.shape) == [[4], [3, 32]])
        #expect(tensors.map(\.byteCount) == [16, 102])
        #expect(tensors.last?.byteRange.upperBound == bytes.count)
    }

    @Test func `another alignment places the tensors`() throws {
        let tensors = [GGUFBytes.tensor("a", [4]), GGUFBytes.tensor("b", [1], at: 64)]
        let bytes = file(tensors, entries: alignment(4, little(UInt32(64))), alignment: 64, data: 68)
        let read = try readGGUF(bytes)
        #expect(read.header.alignment == 64)
        #expect(read.tensors.allSatisfy { $0.byteRange.lowerBound.isMultiple(of: 64) })
    }

    @Test func `every truncation is refused and never traps`() throws {
        let whole = file([a, GGUFBytes.tensor("q", [32, 3], type: 8, at: 32)], data: 32 + 102)
        for count in 0..<whole.count {
            #expect(throws: GGUFError.self) { try readGGUF(Array(whole[..<count])) }
        }
    }

    @Test func `every flipped bit is read or refused`() {
        let whole = file([a, GGUFBytes.tensor("q", [32, 3], type: 8, at: 32)], data: 32 + 102)
        for index in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[index] ^= 1 << bit
                guard let tensors = try? readGGUF(bytes).tensors else { continue }
                #expect(tensors.allSatisfy { $0.byteRange.upperBound <= bytes.count })
            }
        }
    }
}
