import Checkpoints
import OrderedJSON
import Safetensors
import VocabularyMerging

/// A map must be one from the old entries to the new ones.
func checkSizes(
    of map: IDMap, at path: String, new: (entries: Int, path: String), old: (entries: Int, path: String)
) throws {
    guard map.newEntries == new.entries else {
        throw ResizingError.mapDisagrees(
            map: path, side: "new", mapped: map.newEntries, found: new.entries, path: new.path)
    }
    guard map.newIDs.count == old.entries else {
        throw ResizingError.mapDisagrees(
            map: path, side: "old", mapped: map.newIDs.count, found: old.entries, path: old.path)
    }
}

/// A checkpoint must hold every tensor that its config.json calls for, in its shape; what it holds beside them goes along.
func checkShapes(of checkpoint: Checkpoint) throws {
    // The layers of a quantized model have tensors of other names and shapes.
    let isQuantized = checkpoint.config["quantization_config"].map { !$0.isNull } ?? false
    for (name, shape) in try LlamaLayout.shapes(checkpoint.config)
    where !isQuantized || name == TensorNames.embedding {
        let found = try checkpoint.tensor(name).shape
        guard found == shape else {
            throw ResizingError.wrongShape(
                path: try checkpoint.shard(of: name).path, tensor: name, found: found, expected: shape)
        }
    }
}

/// The embedding and the LM head, as far as they are stored, after checking that they fit each other.
func matricesToResize(_ checkpoint: Checkpoint) throws -> [String] {
    let embedding = try checkpoint.matrix(TensorNames.embedding)
    let isTied = try checkpoint.config.tiesWordEmbeddings
    guard let head = checkpoint[TensorNames.head] else {
        if !isTied { throw ResizingError.noHead(directory: checkpoint.directory) }
        return try floatingPoint([embedding], in: checkpoint)
    }
    guard head.shape == embedding.shape else {
        throw ResizingError.headDisagrees(
            path: try checkpoint.shard(of: head.name).path, embedding: embedding.shape, head: head.shape)
    }
    if isTied {
        let files = (try checkpoint.shard(of: head.name), try checkpoint.shard(of: embedding.name))
        let isSame =
            head.type == embedding.type
            && sameBytes((files.0, head, 0), (files.1, embedding, 0), count: head.byteCount)
        if !isSame { throw ResizingError.tiedButDifferent(directory: checkpoint.directory) }
    }
    return try floatingPoint([embedding, head], in: checkpoint)
}

private func floatingPoint(_ matrices: [TensorInfo], in checkpoint: Checkpoint) throws -> [String] {
    for matrix in matrices where !matrix.type.isFloatingPoint {
        throw ResizingError.notFloats(
            path: try checkpoint.shard(of: matrix.name).path, tensor: matrix.name, type: matrix.type.rawValue)
    }
    return matrices.map(\.name)
}
