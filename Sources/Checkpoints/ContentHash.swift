import FileIO
public import Safetensors

extension Checkpoint {
    /// A SHA-256 of the tensors' names, types, shapes and bytes that does not depend on how they are sharded.
    public var contentHash: String {
        contentHashOfTensors(in: shards)
    }
}

/// The SHA-256 of one line per tensor, by name: name, type, shape and the SHA-256 of its bytes.
public func contentHashOfTensors(in files: [SafetensorsFile]) -> String {
    var lines: [(name: String, text: String)] = []
    for file in files {
        for tensor in file.tensors {
            let hash = SHA256()
            file.forEachChunk(of: tensor) { hash.update($0) }
            let shape = tensor.shape.map(String.init).joined(separator: ",")
            lines.append((tensor.name, "\(tensor.name)\0\(tensor.type.rawValue)\0\(shape)\0\(hash.hexDigest())\n"))
        }
    }
    lines.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    let whole = SHA256()
    for line in lines { whole.update(Array(line.text.utf8)) }
    return whole.hexDigest()
}
