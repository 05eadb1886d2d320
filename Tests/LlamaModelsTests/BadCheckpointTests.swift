import FileIO
import Foundation
import LlamaModels
import Safetensors
import TestSupport
import Testing

@Suite struct BadCheckpointTests {
    /// A copy of the grouped model whose config.json or weights are changed.
    private func withModel(_ body: (String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            for name in ["config.json", "model.safetensors"] {
                try writeFile("\(directory)/\(name)", readFile(fixture("llama/grouped/\(name)")))
            }
            try body(directory)
        }
    }

    @Test func aVocabularySizeThatIsNotTheNumberOfRowsIsNamed() throws {
        try withModel { directory in
            let config = String(decoding: try readFile(directory + "/config.json"), as: UTF8.self)
            let changed = config.replacing("\"vocab_size\": 40", with: "\"vocab_size\": 41")
            #expect(changed != config)
            try writeFile(directory + "/config.json", changed.utf8)
            #expect(
                throws: LlamaModelError.wrongShape(
                    directory: directory, tensor: "model.embed_tokens.weight", expected: [41, 16], found: [40, 16])
            ) { try LlamaModel(directory: directory) }
        }
    }

    @Test func aWeightThatIsMissingIsNamed() throws {
        try withModel { directory in
            let file = try SafetensorsFile(directory + "/model.safetensors")
            let plans = file.tensors.filter { $0.name != "model.norm.weight" }.map { TensorPlan($0) }
            var writer = try SafetensorsWriter(directory + "/other.safetensors", tensors: plans)
            for tensor in writer.tensors {
                try file.withUnsafeBytes(of: tensor.name) { try writer.write(Array($0)) }
            }
            try writer.finish()
            try FileManager.default.removeItem(atPath: directory + "/model.safetensors")
            try FileManager.default.moveItem(
                atPath: directory + "/other.safetensors", toPath: directory + "/model.safetensors")
            let error = #expect(throws: (any Error).self) { try LlamaModel(directory: directory) }
            #expect(error.map { "\($0)" }?.contains("model.norm.weight") == true)
        }
    }
}
