import Checkpoints
import Foundation
import PieceModel
import Reports
import TokenizerMetrics
import Tokenizers
import UnicodeText
import VocabularyLint

/// The sections about a base tokenizer and the one that extends it.
struct VocabularyReport {
    let base: Tokenizer
    let extended: Tokenizer
    let texts: [(path: String, measure: TokenizationMeasure)]
    /// Nil where no texts say the same in several languages.
    let parallel: ParallelMeasure?
    let sweep: VocabularySweep?
    /// What entries cost the model that it is about.
    let cost: VocabularyCost?
    private let lint: LintReport
    private let baseLint: LintReport
    /// How the extended one was made; nil where it does not say.
    private let merge: ReportedMerge?

    /// Dead pieces of each kind to list at most.
    private static let shownDead = 60
    /// The sweep's sizes.
    private static let parts = 8

    /// - Parameters:
    ///   - texts: files, one text a line.
    ///   - languages: files whose lines say the same.
    ///   - merge: what the kuoci.json beside the extended one tells.
    /// - Throws: `ReportError.baseLarger`, or what is wrong with the files.
    init(
        base: String, extended: String, texts: [String], languages: [(language: String, path: String)],
        cost: VocabularyCost?, merge: ReportedMerge?
    ) throws {
        self.base = try Tokenizer(contentsOf: tokenizerPath(base))
        self.extended = try Tokenizer(contentsOf: tokenizerPath(extended))
        let tokenizers = [self.base, self.extended]
        if self.base.count > self.extended.count {
            throw ReportError.baseLarger(
                base: base, entries: self.base.count, tokenizer: extended, extended: self.extended.count)
        }
        self.texts = try texts.map { ($0, try TokenizationMeasure(file: $0, tokenizers: tokenizers)) }
        parallel = languages.isEmpty ? nil : try ParallelMeasure(languages, tokenizers: tokenizers)
        baseLint = try LintReport(self.base)
        lint = try LintReport(
            self.extended, base: self.base, scripts: merge?.scripts ?? [.han], corpus: texts,
            // Other files of the tokenizer lie beside it if it was named by its directory.
            directory: tokenizerPath(extended) == extended ? nil : extended)
        let added = self.extended.count - self.base.count
        let sizes = (1...Self.parts).map { added * $0 / Self.parts }.filter { $0 > 0 }
        sweep =
            sizes.isEmpty || texts.isEmpty
            ? nil : try VocabularySweep(base: base, addition: extended, sizes: sizes, texts: texts, cost: cost)
        (self.cost, self.merge) = (cost, merge)
    }

    // MARK: The numbers that matter most

    func tiles() -> [ReportPage.Tile] {
        let entries = ReportPage.Tile(
            "\(extended.count)", "entries", note: "\(base.count) of the base, \(lint.rowCount) new rows")
        let fertility = texts.map { path, measure in
            let values = measure.counts.map { fixed(ratio($0.tokens, measure.characters), 3) }
            return ReportPage.Tile(
                values[1], "tokens a character, \(shortName(path))",
                note: "\(values[0]) before: \(change(measure).replacing(" ", with: "\u{A0}"))")
        }
        let harm = ReportPage.Tile(
            "\(lint.deadRows.count)", "dead rows", note: "\(lint.brokenBaseRows.count) base pieces broken")
        return [entries] + fertility + [harm]
    }

    // MARK: Sections

    func sections(sentences: Int) throws -> [ReportPage.Section] {
        [tokens, languages, try samples(sentences), pieceLists, findings, coverage].filter { !$0.isEmpty }
    }

    func shown(_ id: PieceID) -> String { shownPiece(extended.vocabulary.text(of: id)) }

    private var findings: ReportPage.Section {
        var section = ReportPage.Section(id: "lint", "What lint finds")
        section.paragraphs = merge.map { [proof($0)] } ?? []
        section.tables = [
            ReportPage.Table(
                "kuoci lint shows each of them", header: ["finding", "count"],
                rows: (rowFindings + textFindings + agreements).map { [$0.name, "\($0.count)"] })
        ]
        section.pieceLists = [
            ("Dead rows, each with what it is cut into:", lint.deadRows),
            ("Pieces of the base that are cut anew:", lint.brokenBaseRows),
        ].compactMap { caption, rows in
            if rows.isEmpty { return nil }
            let more = rows.count > Self.shownDead ? " (the first \(Self.shownDead) of \(rows.count))" : ""
            return ReportPage.PieceList(
                caption + more,
                rows.prefix(Self.shownDead).map {
                    .init(shown($0.id), note: $0.parts.map(shown).joined(separator: " "))
                })
        }
        return section
    }

    private typealias Finding = (name: String, count: Int)

    private var rowFindings: [Finding] {
        let scripts = lint.scripts.map(\.name).joined(separator: " or ")
        return [
            ("dead rows: no text ever gives them", lint.deadRows.count),
            ("pieces of the base that no longer encode as themselves", lint.brokenBaseRows.count),
            ("entries of the base that changed", lint.changedBaseEntries.count),
            ("new rows without a character of \(scripts)", lint.rowsWithoutScripts.count),
            ("new rows with one beside a letter of another script", lint.rowsMixingScripts.count),
            ("new rows with digits side by side", lint.digitStrings.count),
            ("groups of entries that are equal after NFKC", lint.duplicates.count),
        ]
    }

    private var textFindings: [Finding] {
        if texts.isEmpty { return [] }
        return [
            ("new rows that the texts never use", lint.unusedRows.count),
            ("long new rows in few contexts", lint.junkCandidates.count),
        ]
    }

    private var agreements: [Finding] {
        lint.agreements.map { file in
            let lines = texts.isEmpty ? "lines of a probe" : "lines of the texts"
            return (
                "\(file.lines) \(lines): other ids by \(lastPart(file.path)) than by tokenizer.model", file.differing
            )
        }
    }

    /// What the merge says of texts that must not change.
    private func proof(_ merge: ReportedMerge) -> String {
        let name = "The merge (policy \(merge.policy))"
        guard let proof = merge.proof else {
            return "\(name) was checked on no texts: kuoci merge --proof-corpus FILES does that."
        }
        let scripts = merge.scripts.map(\.name).joined(separator: " or ")
        return "\(name) was checked on \(proof.texts) texts: \(proof.changed) of the \(proof.withoutScripts) "
            + "without a character of \(scripts) get other ids than from the base."
    }

    private var coverage: ReportPage.Section {
        var section = ReportPage.Section(id: "coverage", "Characters with a row of their own")
        func plot(_ title: String, _ before: [CharacterCoverage], _ after: [CharacterCoverage]) -> ReportPage.Figure? {
            // Blocks that neither touches would be bars of no height.
            let shown = zip(before, after).filter { $0.covered > 0 || $1.covered > 0 }
            if shown.isEmpty { return nil }
            func shares(_ lists: [CharacterCoverage]) -> [Double] { lists.map { 100 * ratio($0.covered, $0.count) } }
            var plot = BarPlot(
                title, groups: shown.map { "\($1.name)" },
                series: [("before", shares(shown.map { $0.0 })), ("after", shares(shown.map { $0.1 }))])
            plot.unit = " %"
            return ReportPage.Figure(plot)
        }
        section.figures = [
            plot("Standards", baseLint.standards, lint.standards),
            plot("Blocks of Unicode", baseLint.blocks, lint.blocks),
        ].compactMap { $0 }
        return section
    }

    // MARK: Sentences

    /// Lines of all texts in turn, from places that are spread evenly over each.
    private func samples(_ count: Int) throws -> ReportPage.Section {
        var section = ReportPage.Section(id: "sentences", "Sentences before and after")
        if texts.isEmpty || count == 0 { return section }
        section.paragraphs = [
            "Each piece is a box; the warm ones are new, the small red ones are single bytes of a character that has no piece."
        ]
        let share = (count + texts.count - 1) / texts.count
        let lines = try texts.map { try sampleLines(of: $0.path, share) }
        let inTurn = (0..<share).flatMap { place in lines.compactMap { place < $0.count ? $0[place] : nil } }
        section.sentences = inTurn.prefix(count).map { line in
            ReportPage.Sentence([
                .init("before", pieces(line, base)), .init("after", pieces(line, extended)),
            ])
        }
        return section
    }

    private func pieces(_ line: String, _ tokenizer: Tokenizer) -> [ReportPage.Sentence.Piece] {
        tokenizer.encode(line).map { id in
            let vocabulary = tokenizer.vocabulary
            if vocabulary.type(of: id) == .byte {
                return .init(String(vocabulary.text(of: id).dropFirst(3).dropLast()), kind: "byte")
            }
            let isNew = base.vocabulary.id(of: vocabulary.bytes(of: id)) == nil
            return .init(
                shownPiece(vocabulary.text(of: id)).replacing("\u{2581}", with: " "), kind: isNew ? "new" : "old")
        }
    }
}

/// `out/corpus/zh.heldout.txt` is `zh.heldout`.
func shortName(_ path: String) -> String {
    let name = lastPart(path)
    return name.hasSuffix(".txt") ? String(name.dropLast(4)) : name
}

private func lastPart(_ path: String) -> String { (path as NSString).lastPathComponent }
