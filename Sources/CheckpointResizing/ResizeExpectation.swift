public import Checkpoints
public import OrderedJSON
import Safetensors
public import VocabularyMerging

/// What a resize leaves as it was: the rows of both matrices that are kept, and config.json but for the vocabulary.
public struct ResizeExpectation: Sendable {
    public let keptRows: [RowRun]
    private let map: IDMap?

    /// The first rows stay where they were.
    public init(firstRows: Int) {
        keptRows = [RowRun(old: 0..<firstRows, new: 0)]
        map = nil
    }

    /// Rows and ids move as the map says.
    public init(_ map: IDMap) throws {
        keptRows = try RowPlan(oldRows: map.newIDs.count, map: map, multiple: 1).kept
        self.map = map
    }

    /// The config.json that the new checkpoint is to have: the old one with the new number of rows, and with its ids
    /// where they are now.
    public func config(from old: Checkpoint, to new: Checkpoint) throws -> JSONValue {
        var config = old.config.json
        if let map { config = try mappingTokenIDs(config, by: map, path: old.config.path) }
        config["vocab_size"] = .integer(try new.matrix(TensorNames.embedding).shape[0])
        return config
    }
}
