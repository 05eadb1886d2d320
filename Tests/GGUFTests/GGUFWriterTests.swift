import FileIO
import Foundation
import TestSupport
import Testing

@testable import GGUF

@Suite struct GGUFWriterTests {
    private let plans = [
        GGUFTensorPlan(name: "a", type: .f32, shape: [3]),
        GGUFTensorPlan(name: "empty", type: .f16, shape: [0, 8]),
        GGUFTensorPlan(name: "b", type: .q8_0, shape: [2, 32]),
    ]

    @Test func `what is written is read back, each tensor at its place`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/m.gguf"
            var entries = GGUFEntries()
            entries.add("general.name", "small")
            entries.add("x.number", UInt32(7))
            entries.add("x.float", Float(0.5))
            var writer = try GGUFWriter(path, entries: entries, tensors: plans)
            try writer.write(Array(repeating: 1, count: 5))
            try writer.write(Array(repeating: 2, count: 7))
            try writer.write(Array(repeating: 3, count: 68))
            try writer.finish()
            let file = try GGUFFile(path)
            #expect(file.header.values["general.name"]?.text == "small")
            #expect(file.header.values["x.number"]?.int == 7)
            #expect(file.header.values["x.float"]?.double == 0.5)
            #expect(file.tensors.map(\.shape) == plans.map(\.shape))
            let first = try #require(file["a"])
            file.withChunk(of: first, 4..<12) { #expect($0.elementsEqual([1, 2, 2, 2, 2, 2, 2, 2])) }
            #expect(file["b"]?.byteCount == 68)
            // ggml reads the padding behind the last tensor too.
            #expect(try readFile(path).count.isMultiple(of: 32))
        }
    }

    @Test func `bytes that do not fit the plan are refused and leave nothing`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/m.gguf"
            #expect(throws: GGUFError.self) {
                var writer = try GGUFWriter(path, entries: GGUFEntries(), tensors: plans)
                try writer.write(Array(repeating: 1, count: 13))
            }
            #expect(throws: GGUFError.self) {
                var writer = try GGUFWriter(path, entries: GGUFEntries(), tensors: plans)
                try writer.write(Array(repeating: 1, count: 12))
                try writer.finish()
            }
            #expect(throws: FileError.missing(path: path)) { try readFile(path) }
        }
    }

    @Test func `an older file, even one that appears meanwhile, is replaced only when asked`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/m.gguf"
            func write(replacing: Bool) throws {
                let writer = try GGUFWriter(path, entries: GGUFEntries(), tensors: [])
                // Not by `writeFile`, whose temporary file would have the name of the writer's.
                try Data("mine".utf8).write(to: URL(fileURLWithPath: path))
                try writer.finish(replacing: replacing)
            }
            #expect(throws: FileError.alreadyExists(path: path)) { try write(replacing: false) }
            #expect(try readFile(path) == Array("mine".utf8))
            try write(replacing: true)
            #expect(try readFile(path).starts(with: "GGUF".utf8))
        }
    }

    @Test func `a file larger than the disk is refused before it is begun`() throws {
        try withTemporaryDirectory { directory in
            let path = directory + "/m.gguf"
            let error = #expect(throws: FileError.self) {
                _ = try GGUFWriter(
                    path, entries: GGUFEntries(),
                    tensors: [GGUFTensorPlan(name: "a", type: .f32, shape: [1 << 28, 1 << 28])])
            }
            #expect(error?.description.contains(" of disk, but ") == true)
        }
    }

    @Test func `plans that the format cannot hold are refused`() throws {
        try withTemporaryDirectory { directory in
            for plan in [
                GGUFTensorPlan(name: String(repeating: "n", count: 65), type: .f32, shape: [1]),
                GGUFTensorPlan(name: "a", type: .q4_0, shape: [2, 48]),
                GGUFTensorPlan(name: "a", type: .f32, shape: [1 << 40, 1 << 40]),
                GGUFTensorPlan(name: "a", type: .f32, shape: [1, 1, 1, 1, 1]),
            ] {
                #expect(throws: GGUFError.self) {
                    _ = try GGUFWriter(directory + "/m.gguf", entries: GGUFEntries(), tensors: [plan])
                }
            }
        }
    }
}
