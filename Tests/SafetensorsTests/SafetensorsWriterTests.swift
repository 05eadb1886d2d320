import FileIO
import Foundation
import Safetensors
import TestSupport
import Testing

struct SafetensorsWriterTests {
    /// The header that safetensors 0.8.0 writes for these tensors, read off its output.
    @Test func orderAndHeaderAreTheReferenceWriters() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/f.safetensors"
            let plans = [
                TensorPlan(name: "z", type: .bool, shape: [3]), TensorPlan(name: "b", type: .float16, shape: [2]),
                TensorPlan(name: "a", type: .float32, shape: []),
                TensorPlan(name: "é\"\n", type: .bfloat16, shape: [1]),
                TensorPlan(name: "a2", type: .float32, shape: [0, 4]),
            ]
            try writeSafetensors(
                path,
                plans.map { plan in (plan, [UInt8](repeating: 1, count: try plan.type.byteCount(shape: plan.shape))) })
            let bytes = try readFile(path)
            let header = String(decoding: bytes[8..<bytes.count - 13], as: UTF8.self)
            #expect(
                header.trimmingCharacters(in: .whitespaces)
                    == "{\"__metadata__\":{\"format\":\"pt\"},"
                    + "\"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                    + "\"a2\":{\"dtype\":\"F32\",\"shape\":[0,4],\"data_offsets\":[4,4]},"
                    + "\"é\\\"\\n\":{\"dtype\":\"BF16\",\"shape\":[1],\"data_offsets\":[4,6]},"
                    + "\"b\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[6,10]},"
                    + "\"z\":{\"dtype\":\"BOOL\",\"shape\":[3],\"data_offsets\":[10,13]}}")
            #expect(header.utf8.count % 8 == 0)
        }
    }

    @Test func chunksOfAnySizeMakeTheSameFile() throws {
        try withTemporaryDirectory { directory in
            let plans = (0..<5).map { TensorPlan(name: "t\($0)", type: .float32, shape: [7, $0 + 1]) }
            let content = (0..<420).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            for chunk in [1, 13, 420] {
                var writer = try SafetensorsWriter("\(directory)/\(chunk)", tensors: plans)
                for start in stride(from: 0, to: 420, by: chunk) {
                    try writer.write(Array(content[start..<min(start + chunk, 420)]))
                }
                try writer.finish()
            }
            let whole = try readFile(directory + "/420")
            #expect(try readFile(directory + "/1") == whole)
            #expect(try readFile(directory + "/13") == whole)
            let file = try SafetensorsFile(directory + "/1")
            #expect(try file.withUnsafeBytes(of: "t1") { Array($0) } == Array(content[28..<84]))
        }
    }

    @Test func tooFewAndTooManyBytesLeaveNoFile() throws {
        try withTemporaryDirectory { directory in
            let plan = [TensorPlan(name: "t", type: .float32, shape: [2])]
            #expect(throws: SafetensorsError.self) {
                var writer = try SafetensorsWriter(directory + "/f", tensors: plan)
                try writer.write([1, 2, 3])
                try writer.finish()
            }
            #expect(throws: SafetensorsError.self) {
                var writer = try SafetensorsWriter(directory + "/f", tensors: plan)
                try writer.write([UInt8](repeating: 0, count: 9))
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names == [])
        }
    }

    @Test func repeatedNamesAreRefused() throws {
        try withTemporaryDirectory { directory in
            let plan = TensorPlan(name: "t", type: .float32, shape: [2])
            #expect(throws: SafetensorsError.self) {
                _ = try SafetensorsWriter(directory + "/f", tensors: [plan, plan])
            }
            #expect(throws: SafetensorsError.self) {
                _ = try SafetensorsWriter(
                    directory + "/f", tensors: [TensorPlan(name: "__metadata__", type: .uint8, shape: [1])])
            }
        }
    }

    @Test func sizesBeyondMemoryAreRefused() throws {
        #expect(throws: SafetensorsError.self) {
            _ = try SafetensorsWriter(
                "/tmp/never", tensors: [TensorPlan(name: "t", type: .float32, shape: [1 << 40, 1 << 40])])
        }
        #expect(throws: SafetensorsError.self) {
            _ = try SafetensorsWriter(
                "/tmp/never",
                tensors: ["a", "b"].map { TensorPlan(name: $0, type: .uint8, shape: [Int.max / 8]) }
                    + ["c", "d", "e", "f", "g", "h", "i"].map {
                        TensorPlan(name: $0, type: .uint8, shape: [Int.max / 8])
                    })
        }
    }
}
