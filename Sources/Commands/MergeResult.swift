import OrderedJSON
import PieceModel
import TokenizerFormats
import Tokenizers
import UnicodeText
import VocabularyMerging

/// A merge with all that was asked for, what was proved of it, and what it harmed.
struct MergeResult {
    let model: SentencePieceModel
    let idMap: IDMap?
    private let base: SentencePieceModel
    private let merge: VocabularyMerge
    private let pruned: Int
    /// Control pieces of an addition that is a merge with the base, of which the result has none.
    private let controlsLeftOut: [String]
    private let harm: MergeHarm
    /// Nil without texts to compare on.
    private let comparison: TextComparison?

    /// - Throws: `MergeError` where a merge without harm cannot be proved to be one.
    init(
        _ base: SentencePieceModel, _ addition: SentencePieceModel, _ policy: MergePolicyOptions, proofCorpus: [String]
    ) throws {
        let options = try policy.harmlessOptions()
        if policy.policy == .continued { try addition.checkContinues(base) }
        let merge =
            policy.policy == .append
            ? try VocabularyMerge(base: base, addition: addition, size: policy.size)
            : try VocabularyMerge(base: base, addition: addition, harmlessly: options)
        var model = merge.model
        if policy.prune {
            model = try Pruning(
                model, countOfBase: base.pieces.count, onLinesOf: policy.corpus, keeping: options.requiredTexts
            ).model
        }
        pruned = merge.model.pieces.count - model.pieces.count
        if let text = policy.padToken { model = try model.addingPadToken(text) }
        if let factor = policy.padToMultiple { model = try model.paddedToMultiple(of: factor) }
        harm = try MergeHarm(base: base, merged: model)
        comparison =
            proofCorpus.isEmpty
            ? nil
            : try TextComparison(
                base: Tokenizer(base), merged: Tokenizer(model), without: ScriptSet(options.scripts),
                onLinesOf: proofCorpus)
        if policy.policy != .append {
            try harm.check(base: base.path)
            try comparison?.check()
        }
        // Who prunes has rows by the ids of the addition, if that is a merge already.
        let isMerge = addition.extends(base)
        let old = isMerge ? addition : merge.model
        controlsLeftOut = isMerge ? addition.controls(missingFrom: model) : []
        idMap = policy.prune ? IDMap(from: old, to: model) : nil
        self.model = model
        self.base = base
        self.merge = merge
    }

    /// What kuoci.json says.
    func json(_ formats: FormatComparison) -> JSONValue {
        [
            "entries": .integer(model.pieces.count), "added": .integer(added),
            "shared": .integer(merge.shared), "dropped": .integer(merge.dropped), "bridges": .integer(merge.bridges),
            "without_scripts": .integer(merge.foreign), "unreachable": .integer(merge.unreachable),
            "words_left_out": .strings(merge.wordsLeftOut),
            "characters_left_out": .strings(merge.charactersLeftOut), "pruned": .integer(pruned),
            "padding": .integer(model.pieces.count - merge.model.pieces.count + pruned),
            "dead_rows": .integer(harm.unreached.count), "broken_base_pieces": .integer(harm.broken.count),
            "proof": comparison.map { comparison in
                [
                    "texts": .integer(comparison.texts), "texts_without_scripts": .integer(comparison.withoutScripts),
                    "changed": .integer(comparison.changed),
                ]
            } ?? .null,
            "lines": .integer(formats.lines), "differing_lines": .integer(formats.differing),
        ]
    }

    /// What is said at the end.
    func lines(_ policy: MergePolicyOptions) -> [String] {
        var lines = [sizeLine]
        if !merge.wordsLeftOut.isEmpty {
            lines.append("words left out: \(shown(merge.wordsLeftOut))")
        }
        if !merge.charactersLeftOut.isEmpty {
            lines.append(
                "\(merge.charactersLeftOut.count) characters of \(policy.cover) left out, which no text becomes: "
                    + shown(merge.charactersLeftOut))
        }
        for name in controlsLeftOut {
            lines.append("\(name) of --add is left out; --pad-token '\(name)' keeps it")
        }
        if added == 0 {
            lines.append("nothing was added: \(whyNothing(policy))")
        } else if policy.policy != .append {
            lines.append(
                "each new piece is reached and holds a character of \(policy.scripts): other texts keep their ids"
                    + (comparison == nil ? " by construction (--proof-corpus FILES checks it)" : ""))
        }
        if policy.policy == .append { lines += harmLines }
        if let comparison {
            lines.append(
                "\(comparison.changed) of \(comparison.withoutScripts) texts without \(policy.scripts) "
                    + "(of \(comparison.texts)) get other ids than from the base")
        }
        return lines
    }

    private var added: Int { merge.added - pruned }

    private func whyNothing(_ policy: MergePolicyOptions) -> String {
        let reasons = [
            (merge.shared, "are in the base already"), (merge.foreign, "have no character of \(policy.scripts)"),
            (merge.unreachable, "cannot be reached by any text"), (merge.dropped, "are left out by --size"),
            (pruned, "are never used by --corpus"),
        ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return reasons.isEmpty ? "--add has no pieces" : "of its pieces " + reasons.joined(separator: ", ")
    }

    private var sizeLine: String {
        let left = [
            (merge.dropped, "left out"), (merge.foreign, "without the scripts"), (merge.unreachable, "not reachable"),
            (pruned, "never used"),
        ].filter { $0.0 > 0 }.map { ", \($0.0) \($0.1)" }.joined()
        let padding = model.pieces.count - merge.model.pieces.count + pruned
        return "\(model.pieces.count) entries: \(base.pieces.count) of the base, \(added) added"
            + (merge.bridges > 0 ? ", \(merge.bridges) of them as bridges" : "")
            + (padding > 0 ? ", \(padding) as padding" : "") + " (\(merge.shared) shared\(left))"
    }

    private var harmLines: [String] {
        func text(_ id: PieceID) -> String { model.pieces[Int(id.rawValue)].piece }
        var lines: [String] = []
        if !harm.unreached.isEmpty {
            lines.append("\(harm.unreached.count) new pieces are never produced: \(shown(harm.unreached.map(text)))")
        }
        if !harm.broken.isEmpty {
            let examples = harm.broken.map { "\(text($0)) (\(harm.pieces(of: $0).map(text).joined(separator: " ")))" }
            lines.append(
                "\(harm.broken.count) pieces of the base are no longer encoded as themselves: \(shown(examples)); "
                    + "--policy harmless does not do that")
        }
        return lines
    }

    /// The first five of a list.
    private func shown(_ items: [String]) -> String {
        items.prefix(5).joined(separator: ", ") + (items.count > 5 ? ", …" : "")
    }
}

extension SentencePieceModel {
    /// Whether the entries of `base` are the first ones.
    fileprivate func extends(_ base: SentencePieceModel) -> Bool {
        pieces.count > base.pieces.count
            && zip(pieces, base.pieces).allSatisfy { $0.piece.utf8.elementsEqual($1.piece.utf8) }
    }

    /// The names of control pieces that another model lacks.
    fileprivate func controls(missingFrom model: SentencePieceModel) -> [String] {
        let known = Set(model.pieces.map { Array($0.piece.utf8) })
        return pieces.filter { $0.type == .control && !known.contains(Array($0.piece.utf8)) }.map(\.piece)
    }
}
