import FileIO
import Foundation
import OrderedCollections
import OrderedJSON
import Safetensors

/// A model.safetensors.index.json: which shard holds which tensor.
struct ShardIndex {
    let path: String
    private let map: WeightMap

    /// - Throws: `FileError`, `CheckpointError.badJSON` or `.badIndex`.
    init(contentsOf path: String) throws {
        var reader = WeightMapReader(path: path)
        try parseJSONFile(path) { bytes throws(JSONError) in
            try readJSON(bytes) { json throws(JSONError) in try reader.read(&json) }
        }
        if let problem = reader.problem { throw problem }
        if reader.map.isEmpty { throw CheckpointError.badIndex(path: path, reason: "has no weight_map") }
        self.path = path
        map = reader.map
    }

    /// Opens the shards by name and checks that they hold exactly what the index says.
    func openShards(in directory: String) throws -> [SafetensorsFile] {
        let files = try shardFiles(in: directory)
        for tensor in map.tensors.indices where files[map.shard(of: tensor)]?[map.tensors[tensor]] == nil {
            throw CheckpointError.tensorAbsent(
                index: path, tensor: map.tensors[tensor], shard: map.shards[map.shard(of: tensor)])
        }
        let shards = files.sorted { isBefore($0.value.name, $1.value.name) }
        for (number, shard) in shards {
            for tensor in shard.tensors where map.shard(ofTensor: tensor.name) != number {
                throw misplaced(tensor.name, in: number)
            }
        }
        return shards.map(\.value)
    }

    /// What is wrong with a tensor that a shard holds and the map does not place there.
    private func misplaced(_ tensor: String, in number: Int) -> CheckpointError {
        guard let listed = map.shard(ofTensor: tensor) else {
            return .tensorUnlisted(index: path, tensor: tensor, shard: map.shards[number])
        }
        return .tensorTwice(index: path, tensor: tensor, listed: map.shards[listed], shard: map.shards[number])
    }

    /// The shards by their number in the map, opened in the order of their names up to the first that is not there.
    private func shardFiles(in directory: String) throws -> [Int: SafetensorsFile] {
        // An index may name a million files: only those that the directory lists are looked for.
        let listed = (try? FileManager.default.contentsOfDirectory(atPath: directory)).map { Set($0) }
        var missing: String?
        var present: [(name: String, number: Int)] = []
        for number in map.shards.indices {
            let name = map.shards[number]
            if listed?.contains(name) ?? true, FileManager.default.fileExists(atPath: "\(directory)/\(name)") {
                present.append((name, number))
            } else if missing.map({ isBefore(name, $0) }) ?? true {
                missing = name
            }
        }
        var files: [Int: SafetensorsFile] = [:]
        for (name, number) in present.sorted(by: { isBefore($0.name, $1.name) }) {
            if let missing, isBefore(missing, name) { break }
            files[number] = try SafetensorsFile("\(directory)/\(name)")
        }
        if let missing { throw CheckpointError.shardMissing(index: path, shard: missing) }
        return files
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

private func isBefore(_ a: String, _ b: String) -> Bool {
    a.utf8.lexicographicallyPrecedes(b.utf8)
}
