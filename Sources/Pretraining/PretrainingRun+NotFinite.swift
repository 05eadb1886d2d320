import Corpora
import FileIO
import LlamaModels
import OrderedJSON
import Provenance
import Torch

extension PretrainingRun {
    /// Most documents that are named.
    private static let namedDocuments = 8

    /// Stops the run before a number that is none reaches a weight; JSON knows no NaN, so the log says null.
    ///
    /// - Parameter blocks: what the number was computed from, as far as it can be told.
    func requireFinite(
        _ value: Double, _ what: String, _ step: Int, blocks: () throws -> [TrainingMix.Block] = { [] }
    ) throws {
        if value.isFinite { return }
        let documents = try documents(of: blocks())
        let replay = Self.replayCommand(Manifest().command, run: options.out)
        try record([
            "event": "not_finite", "step": .integer(step), "what": .string(what), "value": .null,
            "documents": .array(documents.map(\.json)), "replay": .string(replay),
        ])
        try records?.log.synchronize()
        let last = checkpoints.steps().last.map { checkpoints.path(step: $0) }
        throw PretrainingError.notFinite(
            what: what, step: step, run: options.out, documents: documents, lastCheckpoint: last, replay: replay)
    }

    /// The blocks that alone have no finite loss, or all of them if each has one.
    func blocksWithoutLoss(_ blocks: [TrainingMix.Block]) throws -> [TrainingMix.Block] {
        let found = try blocks.filter { block in
            let batch = TokenBatch([try mix.row(block)], options.blockSize)
            return try !withoutGradients { try model.lossSum(batch, training: false).scalar() }.isFinite
        }
        return found.isEmpty ? blocks : found
    }

    private func documents(of blocks: [TrainingMix.Block]) throws -> [DocumentPlace] {
        let holdOut = options.holdOut > 0 ? HoldOut(share: options.holdOut) : nil
        return try sources.enumerated().flatMap { number, source in
            let ranges = blocks.filter { $0.corpus == number }.map { mix.documents(in: $0) }
            return try source.places(of: Set(ranges.joined()), holdOut: holdOut, most: Self.namedDocuments)
        }
    }

    /// The command line that goes on from the last checkpoint to the same step, and writes the batches that it meets.
    static func replayCommand(_ command: [String], run: String) -> String {
        let kept = command.filter { $0 != "--force" && $0 != "--resume" }
        return (kept + ["--resume", "--record-batches", run + "/replay"]).map(quotedForShell).joined(separator: " ")
    }
}
