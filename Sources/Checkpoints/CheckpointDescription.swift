import FileIO
import OrderedJSON
import Safetensors

/// Writes config.json and, where there is more than one weight file, the index.
func writeDescription(of shards: [ShardPlan], config: JSONValue, in output: borrowing OutputDirectory) throws {
    try writeFile(output.path(of: "config.json"), config.utf8(.pretty) + [0x0A])
    if shards.count > 1 || shards.contains(where: { $0.name != Checkpoint.singleFile }) {
        let index = try ShardIndex.json(of: shards.map { ($0.name, $0.tensors) })
        try writeFile(output.path(of: Checkpoint.indexFile), index.utf8(.huggingFace) + [0x0A])
    }
}

/// Bytes in the weight files that are about to be written.
func byteCount(of shards: [ShardPlan]) throws -> Int {
    var total = 0
    for shard in shards {
        for tensor in shard.tensors {
            let (sum, overflow) = total.addingReportingOverflow(try tensor.type.byteCount(shape: tensor.shape))
            if overflow { throw TensorSizeError.overflow }
            total = sum
        }
    }
    return total
}
