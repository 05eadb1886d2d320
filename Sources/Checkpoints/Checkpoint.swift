import FileIO
import Foundation
import OrderedJSON
public import Safetensors

/// A model directory in Hugging Face layout: config.json, weights in one file or in shards, and the files beside them.
///
/// The weights are mapped, not read.
public struct Checkpoint: Sendable {
    public let directory: String
    public let config: ModelConfig
    /// The weight files, by name; no tensor is in two of them, since the index names one for each.
    public let shards: [SafetensorsFile]

    static let singleFile = "model.safetensors"
    static let indexFile = "model.safetensors.index.json"

    /// - Throws: `FileError`, `CheckpointError` or `SafetensorsError`, each naming the file that is at fault.
    public init(directory: String) throws {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: directory, isDirectory: &isDirectory) else {
            throw FileError.missing(path: directory)
        }
        guard isDirectory.boolValue, FileManager.default.fileExists(atPath: directory + "/config.json") else {
            throw CheckpointError.noConfig(directory: directory)
        }
        config = try ModelConfig(contentsOf: directory + "/config.json")
        shards = try openShards(in: directory)
        self.directory = directory
    }

    /// Every tensor, shard by shard, in the order of their bytes.
    public var tensors: [TensorInfo] {
        shards.flatMap(\.tensors)
    }

    /// The tensor of this name and type, or nil.
    public subscript(name: String) -> TensorInfo? {
        shards.lazy.compactMap { $0[name] }.first
    }

    /// The weight file that holds a tensor.
    public func shard(of name: String) throws -> SafetensorsFile {
        guard let shard = shards.first(where: { $0.tensors.contains(name: name) }) else {
            throw CheckpointError.noTensor(directory: directory, tensor: name)
        }
        return shard
    }

    /// Calls `body` with a tensor's bytes, which are little-endian and not necessarily aligned.
    public func withUnsafeBytes<R>(of name: String, _ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        try shard(of: name).withUnsafeBytes(of: name, body)
    }

    /// A tensor's elements as `Float`, row by row.
    public func floats(of name: String) throws -> [Float] {
        try shard(of: name).floats(of: name)
    }

    /// A tensor that must be there.
    public func tensor(_ name: String) throws -> TensorInfo {
        guard let info = self[name] else { throw CheckpointError.noTensor(directory: directory, tensor: name) }
        return info
    }

    /// A tensor that must be there with two dimensions.
    public func matrix(_ name: String) throws -> TensorInfo {
        let info = try tensor(name)
        guard info.shape.count == 2 else {
            throw CheckpointError.unfit(
                path: try shard(of: name).path, reason: "tensor \(name) has shape \(info.shape), but should be a matrix"
            )
        }
        return info
    }
}

/// Opens the one weight file, or every shard that the index names.
private func openShards(in directory: String) throws -> [SafetensorsFile] {
    let manager = FileManager.default
    // As in transformers, the single file goes before an index.
    if manager.fileExists(atPath: "\(directory)/\(Checkpoint.singleFile)") {
        return [try SafetensorsFile("\(directory)/\(Checkpoint.singleFile)")]
    }
    let indexPath = "\(directory)/\(Checkpoint.indexFile)"
    if manager.fileExists(atPath: indexPath) {
        let index = try ShardIndex(contentsOf: indexPath)
        return try index.openShards(in: directory)
    }
    let names = try manager.contentsOfDirectory(atPath: directory).sorted()
    let pickles = names.filter { ["bin", "pth", "pt"].contains(($0 as NSString).pathExtension) }
    if let pickle = pickles.first { throw CheckpointError.pickleOnly(directory: directory, file: pickle) }
    throw CheckpointError.noWeights(directory: directory)
}
