public import ArgumentParser
import Checkpoints
import FileIO
import Foundation
import GGUF
public import ModelConversion
import OrderedJSON
import Provenance
import Safetensors
import TokenizerFormats

extension ConvertCommand {
    /// Converts a checkpoint to GGUF or back; false if the paths ask for a vocabulary.
    ///
    /// - Throws: `ValidationError` if a model would lose its tensors in a format that can hold some.
    func convertModel() throws -> Bool {
        switch TokenizerFileFormat(path: to) {
        case .gguf where FileManager.default.fileExists(atPath: from + "/config.json"):
            try refuseCheckText()
            try writeGGUF()
        case .gguf where try holdsTensors(from):
            throw ValidationError(
                "\(from): holds a model, which becomes a checkpoint's directory; to write its vocabulary alone to \(to), "
                    + "give --vocab-only")
        case .directory where try holdsTensors(from):
            try refuseCheckText()
            try writeCheckpoint()
        case .directory where Checkpoint.isCheckpoint(from):
            throw ValidationError(
                "\(from): holds a model, which becomes a .gguf file; to write its tokenizer alone to \(to), "
                    + "give --vocab-only")
        case .gguf, .directory, .model, .json, .vocab: return false
        }
        return true
    }

    private func refuseCheckText() throws {
        if !checkText.isEmpty { throw ValidationError("--check-text is for tokenizers: give --vocab-only with it") }
    }

    private func holdsTensors(_ path: String) throws -> Bool {
        var isDirectory: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory)
        guard TokenizerFileFormat(path: path) == .gguf, !(exists && isDirectory.boolValue) else { return false }
        let file = try MappedFile(path)
        return try file.withUnsafeBytes { try GGUFHeader(bytes: $0, path: path).tensorCount > 0 }
    }

    private func writeGGUF() throws {
        let writer = try GGUFModelWriter(Checkpoint(directory: from), type: type)
        for difference in writer.differences { printDiagnostic("kuoci: \(from): \(difference)") }
        let name = URL(fileURLWithPath: from).standardizedFileURL.lastPathComponent
        try makeDirectory(containing: to)
        try writer.write(to: to, name: name, replacing: force, progress: progress.handler())
        print("\(to): \(writer.parameterCount) parameters, \(writer.type.rawValue)")
    }

    private func writeCheckpoint() throws {
        let reader = try GGUFModelReader(contentsOf: from, type: type.map { try checkpointType($0) })
        try reader.write(to: to, manifest: manifest(reader), replacing: force, progress: progress.handler())
        let blocks = reader.dequantized.sorted { $0.key < $1.key }.map { "\($0.value) tensors from \($0.key)" }
        let remark = blocks.isEmpty ? "" : "; rounded before, and no nearer now: " + blocks.joined(separator: ", ")
        print("\(to): \(reader.parameterCount) parameters, \(reader.type.rawValue)\(remark)")
    }

    private func checkpointType(_ type: GGUFModelType) throws -> TensorType {
        switch type {
        case .f32: .float32
        case .f16: .float16
        case .bf16: .bfloat16
        case .q8_0, .q4_0: throw ValidationError("a checkpoint has no \(type.rawValue): give f32, f16 or bf16")
        }
    }

    private func manifest(_ reader: GGUFModelReader) -> Manifest {
        var dequantized: JSONValue = [:]
        for (type, count) in reader.dequantized.sorted(by: { $0.key < $1.key }) { dequantized[type] = .integer(count) }
        return Manifest(
            options: [
                "from": .string(from), "to": .string(to), "type": type.map { .string($0.rawValue) } ?? .null,
                "force": .bool(force),
            ],
            inputs: [from],
            results: ["parameters": .integer(reader.parameterCount), "dequantized": dequantized])
    }
}

extension GGUFModelType: ExpressibleByArgument {}
