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
        throw PretrainingError.notFinite(
            what: what, step: step, run: options.out, documents: documents, lastCheckpoint: newestCheckpoint,
            replay: replay)
    }

    /// Stops the run before a weight that training has ruined is saved or becomes a result.
    func requireFiniteWeights() throws {
        let ruined = try model.trainableParameters.first { name, tensor in
            try !unsoundParameters.contains(name) && !tensor.isFinite()
        }
        guard let ruined else { return }
        try record([
            "event": "not_finite", "step": .integer(position.step), "what": .string(ruined.name), "value": .null,
        ])
        try records?.log.synchronize()
        throw PretrainingError.notFiniteWeights(
            tensor: ruined.name, step: position.step, run: options.out, lastCheckpoint: newestCheckpoint)
    }

    private var newestCheckpoint: String? { checkpoints.steps().last.map { checkpoints.path(step: $0) } }

    /// The blocks that alone have no finite loss, or all of them if each has one.
    func blocksWithoutLoss(_ blocks: [TrainingMix.Block]) throws -> [TrainingMix.Block] {
        let found = try blocks.filter { block in
            let batch = TokenBatch([try mix.row(block)], options.blockSize)
            return try !withoutGradients { try model.lossSum(batch, training: false).scalar() }.isFinite
        }
        return found.isEmpty ? blocks : found
    }

    private func documents(of blocks: [TrainingMix.Block]) throws -> [DocumentPlace] {
        return try sources.enumerated().flatMap { number, source in
            let ranges = blocks.filter { $0.corpus == number }.map { mix.documents(in: $0) }
            return try source.places(of: Set(ranges.joined()), holdOut: options.heldOutShare, most: Self.namedDocuments)
        }
    }

    /// The command line that goes on from the last checkpoint to the same step, and writes the batches that it meets.
    static func replayCommand(_ command: [String], run: String) -> String {
        let kept = command.filter { $0 != "--force" && $0 != "--resume" }
        return (kept + ["--resume", "--record-batches", run + "/replay"]).map(quotedForShell).joined(separator: " ")
    }
}

extension Tensor {
    /// Whether a float32 tensor holds neither NaN nor infinity.
    func isFinite() throws(TorchError) -> Bool {
        // A copy only of what lies on another device.
        if device != .cpu { return areFinite(try floats()) }
        defer { withExtendedLifetime(self) {} }
        return areFinite(try floatElements())
    }
}

/// The largest exponent tells; to find it takes no branch.
private func areFinite(_ values: some Sequence<Float>) -> Bool {
    values.reduce(0 as UInt32) { max($0, $1.magnitude.bitPattern) } < Float.infinity.bitPattern
}
