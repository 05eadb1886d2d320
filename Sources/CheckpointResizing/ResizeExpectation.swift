public import Checkpoints
public import OrderedJSON
import Safetensors
public import VocabularyMerging

/// What a resize leaves as it was: the rows of both matrices that are kept, and config.json but for the vocabulary.
public struct ResizeExpectation: Sendable {
    public let keptRows: [RowRun]
    private let map: IDMap?

    /// The first rows of a checkpoint stay where they were.
    ///
    /// - Throws: `ResizingError.fewerRows` if it has not as many.
    public init(firstRows: Int, of old: Checkpoint) throws {
        let rows = try old.matrix(TensorNames.embedding).shape[0]
        guard firstRows <= rows else {
            throw ResizingError.fewerRows(model: old.directory, rows: rows, wanted: firstRows)
        }
        keptRows = [RowRun(old: 0..<firstRows, new: 0)]
        map = nil
    }

    /// The rows that a checkpoint has, and its ids, move as the map says.
    public init(_ map: IDMap, of old: Checkpoint) throws {
        let rows = try old.matrix(TensorNames.embedding).shape[0]
        keptRows = try RowPlan(oldRows: rows, map: map, multiple: 1).kept
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
