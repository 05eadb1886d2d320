import Partitioning
import PieceModel
import Tokenizers
import VocabularyMerging

/// Which rows of a vocabulary no text gives, and why.
struct RowFates {
    private let tokenizer: Tokenizer
    private let reachability: Reachability
    private let normalizer: Normalizer

    init(_ tokenizer: Tokenizer) throws {
        self.tokenizer = tokenizer
        reachability = try Reachability(tokenizer.model)
        normalizer = try Normalizer(
            specification: tokenizer.model.proto.normalizerSpec, treatsWhitespaceAsSuffix: false,
            path: tokenizer.model.path)
    }

    /// Those of the normal pieces that do not encode to themselves, or that normalization keeps out of every text.
    func deadRows() -> [DeadRow] {
        let rows = reachability.rows
        let runs = partitions(of: rows.count, into: 64)
        return concurrentValues(count: runs.count) { run in rows[runs[run]].compactMap(deadRow) }.flatMap { $0 }
    }

    private func deadRow(_ id: PieceID) -> DeadRow? {
        let parts = reachability.pieces(of: id)
        if isNormalizedAway(id) { return DeadRow(id: id, parts: parts, reason: .normalizedAway) }
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

    /// Whether neither the piece as it stands nor the text that it is meant for, alone or inside a word, holds the piece
    /// after normalization.
    private func isNormalizedAway(_ id: PieceID) -> Bool {
        let specification = tokenizer.model.proto.normalizerSpec
        let piece = Array(tokenizer.vocabulary.bytes(of: id))
        let spaceless = specification.escapeWhitespaces ? !piece.contains(0x20) : true
        if specification.precompiledCharsmap.isEmpty, !specification.removeExtraWhitespaces, spaceless { return false }
        let plain = tokenizer.vocabulary.text(of: id)
        let meant = String(plain.unicodeScalars.map { $0 == "\u{2581}" ? " " : Character($0) })
        return ![plain, meant, "x" + plain + "x", "x" + meant + "x"].contains { text in
            normalizer.normalize(text).contains(piece)
        }
    }
}
