public import Checkpoints
public import LlamaModels

/// Which rows of the input embedding and the LM head a stage trains.
public enum TrainedRows: String, Sendable, CaseIterable {
    /// Those that `kuoci resize` appended; the old ones stay as they are, bit for bit.
    case new
    case all
    /// None: LoRA alone.
    case none
}

/// Of which matrices the chosen rows train.
public enum TrainedSides: String, Sendable, CaseIterable {
    /// The input embedding.
    case input
    /// The input embedding and the LM head.
    case both
}

extension PretrainingOptions {
    /// What the stage trains of embedding and head unless told otherwise: new rows in stage 1, and in stage 2, as PEFT
    /// does it, all.
    public var stageRows: TrainedRows { trainRows ?? (stage == .embeddings ? .new : .all) }

    /// The first row to train, or nil where none is.
    ///
    /// - Throws: `PretrainingError.badOption` if only new rows train and nothing says which they are.
    func firstTrainedRow(_ config: ModelConfig) throws -> Int? {
        switch stageRows {
        case .none: return nil
        case .all: return 0
        case .new:
            let first = try firstNewRow ?? config.entriesBeforeResizing()
            guard let first else {
                throw PretrainingError.badOption(
                    name: "--train-rows", value: "new",
                    need: "beside \(config.path) is no kuoci.json of `kuoci resize` that says which rows are new; "
                        + "name the first one with --first-new-row, or give --train-rows all")
            }
            return first
        }
    }

    /// The same options with the rows to train said outright, so that a run's record says them too.
    func resolvingRows(_ config: ModelConfig) throws -> PretrainingOptions {
        let count = try config.vocabularySize
        if let firstNewRow, firstNewRow >= count {
            throw PretrainingError.badOption(
                name: "--first-new-row", value: "\(firstNewRow)", need: "must be below the vocabulary's \(count)")
        }
        var options = self
        if stage != .full { options.trainRows = stageRows }
        if stage != .full, stageRows == .new { options.firstNewRow = try firstTrainedRow(config) }
        return options
    }

    /// What a stage trains of a model with this configuration.
    public func trainableSet(_ config: ModelConfig) throws -> TrainableSet {
        let rows = try firstTrainedRow(config).map {
            EmbeddingRows(firstRow: $0, trainsHead: trainSides == .both)
        }
        switch stage {
        case .full: return .all
        case .embeddings: return .embeddings(rows ?? EmbeddingRows())
        case .lora: return .lora(try loraConfiguration(), embeddings: rows)
        }
    }

    func loraConfiguration() throws(PretrainingError) -> LoRAConfiguration {
        var targets: [LoRATarget] = []
        for name in loraTargets {
            guard let target = LoRATarget(rawValue: name), !targets.contains(target) else {
                let known = LoRATarget.allCases.map(\.rawValue).joined(separator: ", ")
                throw .badOption(name: "--lora-targets", value: name, need: "must be one of \(known), once each")
            }
            targets.append(target)
        }
        return LoRAConfiguration(
            rank: loraRank, alpha: loraAlpha, dropout: loraDropout, targets: targets,
            usesRankStabilization: usesRankStabilization)
    }
}
