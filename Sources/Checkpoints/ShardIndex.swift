import FileIO
import Foundation
import OrderedCollections
import OrderedJSON
import Safetensors

/// A model.safetensors.index.json: which shard holds which tensor.
struct ShardIndex {
    let path: String
    /// File name by tensor name.
    let shardOfTensor: OrderedDictionary<String, String>

    init(contentsOf path: String) throws {
        let json = try readJSONObject(path)
        guard let map = json["weight_map"]?.object, !map.isEmpty else {
            throw CheckpointError.badIndex(path: path, reason: "has no weight_map")
        }
        var shards: OrderedDictionary<String, String> = [:]
        for (tensor, value) in map {
            guard let shard = value.string else {
                throw CheckpointError.badIndex(path: path, reason: "tensor \(quoted(tensor)) has no file name")
            }
            guard isPlainFileName(shard) else {
                throw CheckpointError.badIndex(
                    path: path, reason: "the shard name \(quoted(shard)) leads out of the directory")
            }
            shards[tensor] = shard
        }
        self.path = path
        shardOfTensor = shards
    }

    /// Opens the shards by name and checks that they hold exactly what the index says.
    func openShards(in directory: String) throws -> [SafetensorsFile] {
        let names = Set(shardOfTensor.values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        let shards = try names.map { name in
            guard FileManager.default.fileExists(atPath: "\(directory)/\(name)") else {
                throw CheckpointError.shardMissing(index: path, shard: name)
            }
            return try SafetensorsFile("\(directory)/\(name)")
        }
        let byName = Dictionary(uniqueKeysWithValues: zip(names, shards))
        for (tensor, name) in shardOfTensor where byName[name]?[tensor] == nil {
            throw CheckpointError.tensorAbsent(index: path, tensor: tensor, shard: name)
        }
        for (name, shard) in zip(names, shards) {
            for tensor in shard.tensors where shardOfTensor[tensor.name] != name {
                throw CheckpointError.tensorUnlisted(index: path, tensor: tensor.name, shard: name)
            }
        }
        return shards
    }

    /// The index as transformers writes it.
    static func json(of shards: [(name: String, tensors: [TensorPlan])]) throws -> JSONValue {
        var map: OrderedDictionary<String, JSONValue> = [:]
        var parameters = 0
        var bytes = 0
        for shard in shards {
            for tensor in shard.tensors {
                map[tensor.name] = .string(shard.name)
                parameters += tensor.shape.reduce(1, &*)
                bytes += try tensor.type.byteCount(shape: tensor.shape)
            }
        }
        return [
            "metadata": ["total_parameters": .integer(parameters), "total_size": .integer(bytes)],
            "weight_map": .object(map),
        ]
    }
}

/// Whether a name from a file stays in its directory.
private func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
}
