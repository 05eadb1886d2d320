public import PieceModel
import Tokenizers

/// A merge without those of its new pieces that a corpus never uses, not even on the way to others.
///
/// The ids that the corpus gets name the same pieces as before.
public struct Pruning: Sendable {
    public let model: SentencePieceModel
    public let removed: Int

    /// - Parameters:
    ///   - merged: The base's entries first.
    ///   - required: Texts of pieces that stay in any case.
    /// - Throws: `FileError`, `PieceModelError`, `MergeError.noText`.
    public init(
        _ merged: SentencePieceModel, countOfBase: Int, onLinesOf paths: [String], keeping required: [String] = []
    ) throws {
        let use = try PieceUse(of: Tokenizer(merged), onLinesOf: paths)
        let isRequired = Set(required.map { Array($0.utf8) })
        let ids = Dictionary(
            merged.pieces.enumerated().map { (Array($1.piece.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        let rules = MergeRules(merged)
        var isKept = merged.pieces.indices.map { id in
            id < countOfBase || use.counts[id] > 0 || isRequired.contains(Array(merged.pieces[id].piece.utf8))
        }
        /// What a kept piece is made of is kept.
        var open = merged.pieces.indices.filter { isKept[$0] && $0 >= countOfBase }
        while let id = open.popLast() {
            let text = Array(merged.pieces[id].piece.utf8)
            let (ends, cut) = rules.encode(text)
            guard ends.count == 1, let cut else { continue }
            for part in [Array(text[..<cut]), Array(text[cut...])].compactMap({ ids[$0] }) where !isKept[part] {
                isKept[part] = true
                open.append(part)
            }
        }
        var pruned = merged
        pruned.proto.pieces = merged.pieces.indices.filter { isKept[$0] }.map { merged.pieces[$0] }
        if pruned.proto.trainerSpec.vocabSize == Int32(merged.pieces.count) {
            pruned.proto.trainerSpec.vocabSize = Int32(pruned.pieces.count)
        }
        try pruned.validate()
        model = pruned
        removed = merged.pieces.count - pruned.pieces.count
    }
}
