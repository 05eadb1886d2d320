import Checkpoints
import FileIO
import OrderedJSON
public import Partitioning
public import Provenance
import Safetensors

extension VocabularyResizer {
    /// Writes the resized checkpoint, with `tokenizerFiles` (names in `tokenizerDirectory`) in place of the old ones.
    ///
    /// - Parameter linking: Whether weight files that do not change may be hard links to the old ones.
    /// - Throws: `FileError.alreadyExists` unless `replacing`, `FileError.noSpace`; `CheckpointError.notAsWritten` if
    ///   what was written is not what it should be. Nothing appears then.
    /// - Returns: Bytes written in weight files that are not shared with the old checkpoint, and the number of those that
    ///   are hard links to its files.
    @discardableResult
    public func write(
        to directory: String, tokenizerFiles: [(source: String, name: String)], manifest: Manifest? = nil,
        linking: Bool = false, replacing: Bool, progress: ProgressHandler = { _ in }
    ) throws -> (bytes: Int, linkedFiles: Int) {
        let config = try resizedConfig()
        let freshRows = try newRows(starts)
        var rewriter = try CheckpointRewriter(
            directory, from: checkpoint, shards: try plannedShards(), moves: try keptBytes(), linking: linking,
            replacing: replacing)
        let written = (bytes: rewriter.writtenBytes, linkedFiles: rewriter.linkedFiles)
        try copySideFiles(to: rewriter)
        for file in tokenizerFiles { try rewriter.copy(file.source, as: file.name) }
        try rewriter.copyWeights(progress: progress)
        for name in matrixNames {
            if let rows = freshRows[name] { try write(rows, of: name, to: rewriter, progress: progress) }
        }
        try rewriter.finish(config: config, manifest: manifest) { try verify($0, progress: progress) }
        return written
    }

    private func write(
        _ rows: NewRows, of name: String, to rewriter: borrowing CheckpointRewriter, progress: ProgressHandler
    ) throws {
        let size = try checkpoint.matrix(name).rowSize
        let total = self.rows.freshRows
        var done = 0
        for range in self.rows.fresh {
            var place = range.lowerBound * size
            try rows.forEachBlock(of: range, threads: threads) { block in
                progress(ProgressUpdate(stage: "new rows of \(name)", completed: done, total: total))
                try rewriter.write(block, of: name, at: place)
                place += block.count
                done += size == 0 ? 0 : block.count / size
            }
        }
        if total > 0 { progress(ProgressUpdate(stage: "new rows of \(name)", completed: total, total: total)) }
    }

    /// config.json with its number of rows and, where ids moved, its ids.
    private func resizedConfig() throws -> JSONValue {
        var config = checkpoint.config.json
        if let idMap { config = try mappingTokenIDs(config, by: idMap, path: checkpoint.config.path) }
        config["vocab_size"] = .integer(rows.newRows)
        return config
    }

    /// The files beside the weights go along; where ids moved, generation_config.json with its ids.
    private func copySideFiles(to rewriter: borrowing CheckpointRewriter) throws {
        for name in try checkpoint.sideFiles {
            let path = "\(checkpoint.directory)/\(name)"
            if let idMap, name == "generation_config.json" {
                let config = try ModelConfig(contentsOf: path)
                let mapped = try mappingTokenIDs(config.json, by: idMap, path: path)
                try writeFile(rewriter.path(of: name), mapped.utf8(.pretty) + [0x0A])
            } else {
                try rewriter.copy(path, as: name)
            }
        }
    }
}
