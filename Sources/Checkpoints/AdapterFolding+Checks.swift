import Safetensors

/// The config's sizes are those of the embedding.
func checkSizes(of base: Checkpoint) throws {
    let sizes = [try base.config.vocabularySize, try base.config.positiveInt("hidden_size")]
    let embedding = try base.matrix(TensorNames.embedding)
    guard embedding.shape == sizes else {
        throw CheckpointError.unfit(
            path: base.config.path,
            reason: "vocab_size is \(sizes[0]) and hidden_size \(sizes[1]), but \(embedding.name) has shape "
                + "\(embedding.shape); correct them, or give the weights that belong to this config")
    }
}

/// Every update has a base matrix of floats and factors of its shape.
func checkUpdates(_ adapter: Adapter, of base: Checkpoint) throws {
    for (name, update) in adapter.updates.sorted(by: { $0.key < $1.key }) {
        guard let matrix = try changedTensor(name, of: base) else {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "updates \(quoted(name)), which \(base.directory) does not hold; "
                    + "give the checkpoint that the adapter was trained on")
        }
        try requireFloats(matrix, in: try base.shard(of: matrix.name).path)
        for factor in [update.a, update.b] { try requireFloats(factor, in: adapter.file.path) }
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
        guard let replaced = try changedTensor(name, of: base) else {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "replaces \(quoted(name)), which \(base.directory) does not hold; "
                    + "give the checkpoint that the adapter was trained on")
        }
        guard tensor.shape == replaced.shape else {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "its \(quoted(name)) has shape \(tensor.shape), but \(base.directory) has \(replaced.shape); "
                    + "resize the base with `kuoci resize` first, or give the one that the adapter was trained on")
        }
        if tensor.type != replaced.type {
            try requireFloats(tensor, in: adapter.file.path)
            try requireFloats(replaced, in: try base.shard(of: replaced.name).path)
        }
    }
}

/// Everything that the adapter's config says was trained is in its file: what lacks would stay as the base has it.
func checkNothingIsMissing(from adapter: Adapter, of base: Checkpoint) throws {
    for tensor in try weights(of: base) where adapter.updates[tensor.name] == nil {
        if adapter.replacements[tensor.name] != nil { continue }
        let module = moduleName(of: tensor.name)
        let mend = "save the adapter again with PEFT's save_pretrained, or correct adapter_config.json"
        let around = modules(around: module)
        if adapter.config.modulesToSave.contains(where: { name in around.contains { $0.hasSuffix(name) } }) {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "holds no \(quoted(tensor.name)), which modules_to_save names, so that its training would be "
                    + "lost; \(mend)")
        }
        if tensor.shape.count == 2, adapter.config.targets.contains(module) == true {
            throw CheckpointError.unfit(
                path: adapter.file.path,
                reason: "holds no factors of \(quoted(tensor.name)), which target_modules names, so that its training "
                    + "would be lost; \(mend)")
        }
    }
}

/// The base's weights by the names of what an adapter may change: a tied model has a head too.
private func weights(of base: Checkpoint) throws -> [TensorPlan] {
    var plans = base.tensors.map { TensorPlan($0) }.filter { $0.name.hasSuffix(".weight") }
    if try base.config.tiesWordEmbeddings, base[TensorNames.head] == nil {
        var head = TensorPlan(try base.matrix(TensorNames.embedding))
        head.name = TensorNames.head
        plans.append(head)
    }
    return plans
}

/// A module and those that it is in. A name of modules_to_save stands for all that end as it does, to PEFT.
private func modules(around module: String) -> [String] {
    let parts = module.split(separator: ".", omittingEmptySubsequences: false)
    return parts.indices.map { parts[...$0].joined(separator: ".") }
}

/// The base's tensor that an adapter changes under a name: the head of a tied model is its embedding, whatever else is
/// stored under the head's name.
private func changedTensor(_ name: String, of base: Checkpoint) throws -> TensorInfo? {
    let isTiedHead = try name == TensorNames.head && base.config.tiesWordEmbeddings
    return base[isTiedHead ? TensorNames.embedding : name]
}

private func requireFloats(_ tensor: TensorInfo, in path: String) throws {
    guard tensor.type.isFloatingPoint else {
        throw CheckpointError.unfit(
            path: path,
            reason: "tensor \(quoted(tensor.name)) is of type \(tensor.type.rawValue), not F32, F16, BF16 or F64; "
                + "give weights that are not quantized")
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
