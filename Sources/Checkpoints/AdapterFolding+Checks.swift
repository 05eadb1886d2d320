import Safetensors

/// Every update has a base matrix of floats and factors of its shape.
func checkUpdates(_ adapter: Adapter, of base: Checkpoint) throws {
    for (name, update) in adapter.updates.sorted(by: { $0.key < $1.key }) {
        guard let matrix = base[name] else {
            throw CheckpointError.unfit(
                path: adapter.file.path, reason: "updates \(quoted(name)), which \(base.directory) does not hold")
        }
        for tensor in [matrix, update.a, update.b] where !tensor.type.isFloatingPoint {
            throw SafetensorsError.notFloats(tensor: tensor.name, type: tensor.type)
        }
        guard matrix.shape == [update.b.shape[0], update.a.shape[1]] else {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "its update of \(quoted(name)) has shape \([update.b.shape[0], update.a.shape[1]]), "
                    + "but \(base.directory) has \(matrix.shape); give the checkpoint that the adapter was trained on")
        }
    }
}

/// Every replacement has the shape of what it replaces.
func checkReplacements(_ adapter: Adapter, of base: Checkpoint) throws {
    for (name, tensor) in adapter.replacements.sorted(by: { $0.key < $1.key }) {
        // The head of a tied model is its embedding.
        let isTiedHead = try name == TensorNames.head && base[name] == nil && base.config.tiesWordEmbeddings
        guard let replaced = base[isTiedHead ? TensorNames.embedding : name] else {
            throw CheckpointError.unfit(
                path: adapter.file.path, reason: "replaces \(quoted(name)), which \(base.directory) does not hold")
        }
        guard tensor.shape == replaced.shape else {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "its \(quoted(name)) has shape \(tensor.shape), but \(base.directory) has \(replaced.shape); "
                    + "resize the base with `kuoci resize` first, or give the one that the adapter was trained on")
        }
        guard tensor.type == replaced.type || (tensor.type.isFloatingPoint && replaced.type.isFloatingPoint) else {
            throw SafetensorsError.notFloats(tensor: tensor.name, type: tensor.type)
        }
    }
}

/// Whether input and output are still one tensor: only if they were, and the adapter left both or made both the same.
///
/// PEFT trains copies of a tied embedding and head, which part; a tie kept in the config would overwrite the head.
func staysTied(_ base: Checkpoint, _ adapter: Adapter) throws -> Bool {
    guard try base.config.tiesWordEmbeddings else { return false }
    let names = [TensorNames.embedding, TensorNames.head]
    guard names.contains(where: { adapter.replacements[$0] != nil || adapter.updates[$0] != nil }) else { return true }
    guard let embedding = adapter.replacements[names[0]], let head = adapter.replacements[names[1]],
        embedding.type == head.type, embedding.shape == head.shape
    else { return false }
    return adapter.file.withUnsafeBytes(of: embedding) { left in
        adapter.file.withUnsafeBytes(of: head) { left.elementsEqual($0) }
    }
}
