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
            try refuseBrokenLink(directory + "/config.json")
            throw CheckpointError.noConfig(directory: directory)
        }
        config = try ModelConfig(contentsOf: directory + "/config.json")
        shards = try openShards(in: directory)
        self.directory = directory
    }

    /// Whether a directory is meant as a checkpoint: a config.json and weights of any kind are in it, sound or not.
    public static func isCheckpoint(_ directory: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.contains("config.json")
            && names.contains { [singleFile, indexFile].contains($0) || isPickledModel($0) }
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
    for name in [Checkpoint.singleFile, Checkpoint.indexFile] { try refuseBrokenLink("\(directory)/\(name)") }
    let pickles = try manager.contentsOfDirectory(atPath: directory).filter(isPickledModel)
    if let pickle = pickles.min() { throw CheckpointError.pickleOnly(directory: directory, file: pickle) }
    throw CheckpointError.noWeights(directory: directory)
}

/// Whether a file of this name holds a model's weights as transformers or Meta pickles them; others in a directory are
/// of training, such as optimizer.pt.
private func isPickledModel(_ name: String) -> Bool {
    name.hasPrefix("pytorch_model") && name.hasSuffix(".bin")
        || name.hasPrefix("consolidated") && name.hasSuffix(".pth")
}

/// Fails if what was found absent is a link that leads nowhere, as where a cache was cleared or copied in part.
private func refuseBrokenLink(_ path: String) throws(CheckpointError) {
    if let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) {
        throw .brokenLink(path: path, target: target)
    }
}
