internal import Torch

extension LlamaModel {
    /// What PEFT puts before the Hugging Face names of an adapter's tensors.
    public static let adapterPrefix = "base_model.model."

    /// Makes the chosen parameters trainable, in memory of their own, and all others frozen.
    ///
    /// Call it once. `trainableParameters` then has them in a fixed order, under the names that a Hugging Face
    /// checkpoint, or with LoRA a PEFT adapter, gives them. A tied head is the embedding, once.
    /// - Parameter seed: Decides the first values of LoRA's A; B starts at zero.
    public func prepareTraining(_ set: TrainableSet, seed: UInt64) throws {
        precondition(trainableParameters.isEmpty, "the model is being trained already")
        switch set {
        case .all: try trainEverything()
        case .embeddings(let rows): try trainEmbeddings(rows, prefix: "")
        case .lora(let lora, let rows):
            try addAdapters(lora, seed: seed)
            if let rows { try trainEmbeddings(rows, prefix: Self.adapterPrefix) }
        }
        // What is trained was copied: its mapped original need not take up memory any more.
        for (name, _) in trainableParameters {
            reader.release(name.hasPrefix(Self.adapterPrefix) ? String(name.dropFirst(Self.adapterPrefix.count)) : name)
        }
    }

    /// The places of the trainable parameters, roughly in the order in which `accumulateGradients` completes them.
    public var gradientOrder: [Int] {
        let places = trainableParameters.indices.reversed()
        func comes(_ place: Int) -> Int {
            switch trainableParameters[place].tensor {
            case let tensor where tensor === untiedHead?.trainedRows: 0
            case let tensor where tensor === embedding.trainedRows: 2
            default: 1
            }
        }
        return (0...2).flatMap { turn in places.filter { comes($0) == turn } }
    }

    private func trainEmbeddings(_ rows: EmbeddingRows, prefix: String) throws {
        guard (0..<configuration.vocabularySize).contains(rows.firstRow) else {
            throw LlamaModelError.badTraining(
                reason: "the first trained row is \(rows.firstRow), but the vocabulary has "
                    + "\(configuration.vocabularySize) entries")
        }
        embedding = try VocabularyMatrix(training: embedding, from: rows.firstRow)
        add(prefix + "model.embed_tokens.weight", embedding.trainedRows)
        guard let head = untiedHead, rows.trainsHead else { return }
        let trained = try VocabularyMatrix(training: head, from: rows.firstRow)
        untiedHead = trained
        add(prefix + "lm_head.weight", trained.trainedRows)
    }

    private func addAdapters(_ lora: LoRAConfiguration, seed: UInt64) throws {
        try lora.check()
        for index in layers.indices {
            for (place, (target, path)) in DecoderLayer.projections.enumerated() where lora.targets.contains(target) {
                let number = UInt64(index * DecoderLayer.projections.count + place)
                let layer = layers[index][keyPath: path]
                let adapter = try LowRankAdapter(lora, weight: layer.weight, seed: seed, number: number)
                layers[index][keyPath: path].adapter = adapter
                add("\(Self.adapterPrefix)\(layer.name).lora_A.weight", adapter.down)
                add("\(Self.adapterPrefix)\(layer.name).lora_B.weight", adapter.up)
            }
        }
    }

    private func trainEverything() throws {
        embedding = try VocabularyMatrix(training: embedding)
        add("model.embed_tokens.weight", embedding.trainedRows)
        for index in layers.indices {
            try train("model.layers.\(index).input_layernorm.weight", &layers[index].attentionNorm)
            for (_, path) in DecoderLayer.projections {
                let name = layers[index][keyPath: path].name
                try train(name + ".weight", &layers[index][keyPath: path].weight)
                if var bias = layers[index][keyPath: path].bias {
                    try train(name + ".bias", &bias)
                    layers[index][keyPath: path].bias = bias
                }
            }
            try train("model.layers.\(index).post_attention_layernorm.weight", &layers[index].innerNorm)
        }
        try train("model.norm.weight", &finalNorm)
        guard let head = untiedHead else { return }
        let trained = try VocabularyMatrix(training: head)
        untiedHead = trained
        add("lm_head.weight", trained.trainedRows)
    }

    private func train(_ name: String, _ weight: inout Tensor) throws {
        // Read once more: what is computed with may have been rounded.
        weight = try reader.readTrained(name, weight.shape)
        add(name, weight)
    }

    private func add(_ name: String, _ tensor: Tensor?) {
        if let tensor { trainableParameters.append((name, tensor)) }
    }
}
