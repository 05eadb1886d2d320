import OrderedJSON
import Safetensors

/// The weight_map of an index: the shard of each tensor, in its order.
struct WeightMap {
    private(set) var tensors = NameTable()
    private(set) var shards = NameTable()
    /// The number of each tensor's shard.
    private var shardOfTensor: [UInt32] = []

    var isEmpty: Bool { tensors.isEmpty }

    /// The number of a tensor's shard.
    func shard(of tensor: Int) -> Int {
        Int(shardOfTensor[tensor])
    }

    /// The number of a tensor's shard; nil if the map does not list the tensor.
    func shard(ofTensor name: String) -> Int? {
        tensors.number(of: name).map(shard)
    }

    /// The tensor's name is read with the reader, which tells those that are there twice.
    fileprivate mutating func readTensor(_ reader: inout JSONReader) throws(JSONError) -> String {
        try reader.readKey(&tensors)
    }

    /// Says where the tensor is whose name was read last.
    fileprivate mutating func append(shard: String) {
        shardOfTensor.append(UInt32(shards.numberAppending(shard)))
    }
}

/// Reads an index without making a tree of its JSON, which may name millions of tensors.
struct WeightMapReader {
    private(set) var map = WeightMap()
    /// What is wrong first, if the JSON is sound.
    private(set) var problem: CheckpointError?
    private let path: String

    init(path: String) {
        self.path = path
    }

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
        guard try reader.nextKind() == .object else {
            problem = .badJSON(path: path, reason: "holds no JSON object")
            try reader.skipValue()
            return
        }
        var keys = NameTable()
        var members = reader.beginList()
        while try reader.advance(&members) {
            let isMap = try reader.readKey(&keys) == "weight_map"
            if try reader.nextKind() == .object, isMap {
                try readMap(&reader)
            } else {
                try reader.skipValue()
            }
        }
    }

    private mutating func readMap(_ reader: inout JSONReader) throws(JSONError) {
        var members = reader.beginList()
        while try reader.advance(&members) {
            let tensor = try map.readTensor(&reader)
            let isString = try reader.nextKind() == .string
            let shard = isString ? try reader.readString() : ""
            if !isString {
                try reader.skipValue()
                note("tensor \(quoted(tensor)) has no file name")
            } else if !isPlainFileName(shard) {
                note("the shard name \(quoted(shard)) leads out of the directory")
            }
            if problem == nil { map.append(shard: shard) }
        }
    }

    private mutating func note(_ reason: @autoclosure () -> String) {
        if problem == nil { problem = .badIndex(path: path, reason: reason()) }
    }
}

/// Whether a name from a file stays in its directory.
private func isPlainFileName(_ name: String) -> Bool {
    !name.isEmpty && name != "." && name != ".." && !name.utf8.contains(UInt8(ascii: "/")) && !name.utf8.contains(0)
}
