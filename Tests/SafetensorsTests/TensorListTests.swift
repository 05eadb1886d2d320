import FileIO
import TestSupport
import Testing

@testable import Safetensors

struct TensorListTests {
    /// Tensors of all sizes, their entries in the header in random order: what is read is what was written.
    @Test(arguments: 0..<10 as Range<UInt64>)
    func `each tensor is found by place and by name`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var expected: [(name: String, shape: [Int], range: Range<Int>)] = []
        var entries: [String] = []
        var position = 0
        for number in 0..<Int.random(in: 0...200, using: &generator) {
            let shape = (0..<Int.random(in: 0...4, using: &generator)).map { _ in
                Int.random(in: 1...3, using: &generator)
            }
            let end = position + shape.reduce(2, *)
            expected.append(("t\(number)é", shape, position..<end))
            entries.append(
                "\"t\(number)é\":{\"dtype\":\"F16\",\"shape\":\(shape),\"data_offsets\":[\(position),\(end)]}")
            position = end
        }
        if seed > 0 { entries.shuffle(using: &generator) }
        let json = Array("{\(entries.joined(separator: ","))}".utf8)
        let bytes =
            withUnsafeBytes(of: json.count.littleEndian) { Array($0) } + json + [UInt8](repeating: 0, count: position)
        let tensors = try bytes.withUnsafeBytes { try SafetensorsHeader(validating: $0, path: "f").tensors }
        #expect(tensors.count == expected.count)
        for (tensor, wanted) in zip(tensors, expected) {
            let start = 8 + json.count
            #expect(tensor.name == wanted.name && tensor.type == .float16 && tensor.shape == wanted.shape)
            #expect(tensor.byteRange == start + wanted.range.lowerBound..<start + wanted.range.upperBound)
            #expect(tensors[wanted.name] == tensor && tensors.contains(name: wanted.name))
        }
        #expect(tensors["t"] == nil && !tensors.contains(name: ""))
    }

    @Test func `numbers of any size come back`() {
        let numbers = [0, 1, 127, 128, 16383, 16384, Int.max - 1, Int.max, 5]
        var bytes = VariableLengthNumbers()
        for number in numbers { bytes.append(number) }
        var cursor = 0
        #expect(numbers.map { _ in bytes.next(&cursor) } == numbers)
        #expect(cursor == bytes.byteCount)
    }

    /// The first fault in the header's order is told, once the JSON is known to be sound.
    @Test(arguments: [
        ("{\"a\":1,\"b\":2}", "header entry \"a\": not an object"),
        ("{\"__metadata__\":1,\"b\":2}", "header entry \"__metadata__\": not an object"),
        ("{\"a\":1,\"b\":2,\"a\":3}", "byte 24: the key \"a\" is repeated"),
        ("{\"a\":1,\"b\":[}", "byte 20: a value was expected"),
        ("{\"a\":[\"X8\",1,[\"y\"]],\"b\":2}", "header entry \"a\": dtype \"X8\" is unknown"),
        ("{\"a\":{\"data_offsets\":[1],\"shape\":1,\"dtype\":\"U8\"}}", "header entry \"a\": shape is not a list"),
    ])
    func `of several faults the first is told`(json: String, message: String) {
        let bytes = withUnsafeBytes(of: json.utf8.count.littleEndian) { Array($0) } + Array(json.utf8)
        #expect {
            try bytes.withUnsafeBytes { _ = try SafetensorsHeader(validating: $0, path: "f") }
        } throws: { "\($0)".contains(message) }
    }

    @Test func `metadata is read from the header's own spelling`() throws {
        try withTemporaryDirectory { directory in
            let json = "{\"__metadata__\" : {\"a\\u0062\": \"\\n中\", \"c\":\"\"} }"
            let path = directory + "/f.safetensors"
            try writeFile(path, withUnsafeBytes(of: json.utf8.count.littleEndian) { Array($0) } + Array(json.utf8))
            #expect(try SafetensorsFile(path).metadata == ["ab": "\n中", "c": ""])
        }
    }
}
