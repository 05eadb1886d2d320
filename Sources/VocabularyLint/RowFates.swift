import Partitioning
import PieceModel
import Tokenizers
import VocabularyMerging

/// Which rows of a vocabulary no text gives, and why.
struct RowFates {
    private let tokenizer: Tokenizer
    private let reachability: Reachability
    private let normalization: PieceNormalization

    init(_ tokenizer: Tokenizer) throws {
        self.tokenizer = tokenizer
        reachability = try Reachability(tokenizer.model)
        normalization = try PieceNormalization(tokenizer.model)
    }

    /// Those of the normal pieces that do not encode to themselves, or that normalization keeps out of every text.
    func deadRows() -> [DeadRow] {
        let rows = reachability.rows
        let runs = partitions(of: rows.count, into: 64)
        return concurrentValues(count: runs.count) { run in rows[runs[run]].compactMap(deadRow) }.flatMap { $0 }
    }

    private func deadRow(_ id: PieceID) -> DeadRow? {
        let parts = reachability.pieces(of: id)
        if normalization.takesAway(Array(tokenizer.vocabulary.bytes(of: id))) {
            return DeadRow(id: id, parts: parts, reason: .normalizedAway)
        }
        return parts == [id] ? nil : DeadRow(id: id, parts: parts, reason: reason(id, parts))
    }

    private func reason(_ id: PieceID, _ parts: [PieceID]) -> DeadRow.Reason {
        let vocabulary = tokenizer.vocabulary
        if let part = parts.first(where: { vocabulary.type(of: $0) == .userDefined }) { return .holdsUserDefined(part) }
        guard tokenizer.model.proto.trainerSpec.modelType == .bpe else { return .partsPreferred }
        let bridges = reachability.bridges(for: id)
        if !bridges.isEmpty { return .noChain(bridges: bridges) }
        return .forestalled(by: FatalMerge(of: id, in: vocabulary)?.find())
    }
}
