import Foundation
import PieceModel
import Reports
import TokenizerMetrics
import Tokenizers
import VocabularyLint

/// The sections about a base tokenizer and the one that extends it.
struct VocabularyReport {
    let base: Tokenizer
    let extended: Tokenizer
    private let texts: [(path: String, measure: TokenizationMeasure)]
    private let lint: LintReport
    private let baseLint: LintReport
    private let sweep: VocabularySweep?

    /// New pieces to list at most, and dead ones of each kind.
    private static let shownPieces = 120
    private static let shownDead = 60
    /// Pieces of so many characters and more share a bar.
    private static let longest = 8

    /// - Parameter texts: files, one text a line.
    init(base: String, extended: String, texts: [String]) throws {
        self.base = try Tokenizer(contentsOf: tokenizerPath(base))
        self.extended = try Tokenizer(contentsOf: tokenizerPath(extended))
        let tokenizers = [self.base, self.extended]
        self.texts = try texts.map { ($0, try TokenizationMeasure(file: $0, tokenizers: tokenizers)) }
        baseLint = try LintReport(self.base)
        lint = try LintReport(self.extended, base: self.base, corpus: texts)
        let added = self.extended.count - self.base.count
        let sizes = stride(from: 1, through: 8, by: 1).map { added * $0 / 8 }.filter { $0 > 0 }
        sweep =
            sizes.isEmpty || texts.isEmpty
            ? nil : try VocabularySweep(base: base, addition: extended, sizes: sizes, texts: texts, cost: nil)
    }

    // MARK: The numbers that matter most

    func tiles() -> [ReportPage.Tile] {
        let entries = ReportPage.Tile(
            "\(extended.count)", "entries", note: "\(base.count) of the base, \(lint.rowCount) new rows")
        let fertility = texts.map { path, measure in
            let change = ratio(measure.counts[1].tokens - measure.counts[0].tokens, measure.counts[0].tokens)
            return ReportPage.Tile(
                String(format: "%.3f", ratio(measure.counts[1].tokens, measure.characters)),
                "tokens a character, \(shortName(path))",
                note: String(
                    format: "%.3f before: %+.1f\u{A0}%%", ratio(measure.counts[0].tokens, measure.characters),
                    change * 100))
        }
        let harm = ReportPage.Tile(
            "\(lint.deadRows.count)", "dead rows", note: "\(lint.brokenBaseRows.count) base pieces broken")
        return [entries] + fertility + [harm]
    }

    // MARK: Sections

    func sections(sentences: Int) throws -> [ReportPage.Section] {
        [tokens, try samples(sentences), newPieces, findings, coverage].filter { !$0.isEmpty }
    }

    private var tokens: ReportPage.Section {
        var section = ReportPage.Section(id: "tokens", "What it saves")
        guard let first = texts.first else { return section }
        let bars = BarPlot(
            "Tokens a character", groups: texts.map { shortName($0.path) },
            series: ["before", "after"].enumerated().map { index, name in
                (name, texts.map { ratio($0.measure.counts[index].tokens, $0.measure.characters) })
            })
        section.figures = [ReportPage.Figure(bars), lengths(first.path, first.measure)]
        if let sweep { section.figures.append(sweepFigure(sweep)) }
        section.tables = [table]
        return section
    }

    private var table: ReportPage.Table {
        ReportPage.Table(
            "Texts, one a line; changed: lines that get other ids than before",
            header: [
                "text", "lines", "characters", "tokens before", "after", "change", "byte tokens before", "after",
                "changed",
            ],
            rows: texts.map { path, measure in
                let (before, after) = (measure.counts[0], measure.counts[1])
                return [
                    path, "\(measure.texts)", "\(measure.characters)", "\(before.tokens)", "\(after.tokens)",
                    String(format: "%+.1f %%", 100 * ratio(after.tokens - before.tokens, before.tokens)),
                    String(format: "%.1f %%", 100 * ratio(before.fallbackTokens, before.tokens)),
                    String(format: "%.1f %%", 100 * ratio(after.fallbackTokens, after.tokens)), "\(after.changedTexts)",
                ]
            })
    }

    /// The share of the tokens that have so many characters.
    private func lengths(_ path: String, _ measure: TokenizationMeasure) -> ReportPage.Figure {
        let series = [(base, "before"), (extended, "after")].enumerated().map { index, named in
            let (tokenizer, name) = named
            var shares = [Double](repeating: 0, count: Self.longest + 1)
            for (id, count) in measure.counts[index].uses.counts.enumerated() where count > 0 {
                let length = characters(PieceID(id), tokenizer.vocabulary)
                shares[min(length, Self.longest)] += 100 * ratio(count, measure.counts[index].tokens)
            }
            return (name, shares)
        }
        let names = ["byte"] + (1..<Self.longest).map { "\($0)" } + ["\(Self.longest)+"]
        var plot = BarPlot("Length of tokens in \(shortName(path)), characters", groups: names, series: series)
        plot.unit = " %"
        return ReportPage.Figure(plot, caption: "The mark of a space counts as a character.")
    }

    private func characters(_ id: PieceID, _ vocabulary: Vocabulary) -> Int {
        vocabulary.type(of: id) == .byte ? 0 : vocabulary.bytes(of: id).count { $0 & 0xC0 != 0x80 }
    }

    private func sweepFigure(_ sweep: VocabularySweep) -> ReportPage.Figure {
        let lines = sweep.texts.map { path, measure in
            LinePlot.Line(
                shortName(path),
                zip(sweep.sizes, measure.counts).map { (Double($0), ratio($1.tokens, measure.characters)) })
        }
        var plot = LinePlot("Tokens a character by the number of added rows", x: "rows", lines)
        plot.showsPoints = true
        return ReportPage.Figure(
            plot, caption: "With the first so many of the new rows alone.")
    }

    // MARK: Pieces

    private var newPieces: ReportPage.Section {
        var section = ReportPage.Section(id: "pieces", "New pieces")
        guard let first = texts.first else { return section }
        let uses = first.measure.counts[1].uses
        let top = newIDs.filter { uses[$0] > 0 }.map { (-uses[$0], $0) }.sorted { $0 < $1 }.prefix(Self.shownPieces)
        section.pieceLists = [
            ReportPage.PieceList(
                "The ones that \(shortName(first.path)) uses most, with how often:",
                top.map { .init(shown($0.1), note: "\(-$0.0)") })
        ]
        let used = newIDs.count { uses[$0] > 0 }
        section.paragraphs = ["\(used) of \(newIDs.count) new rows come in \(first.path)."]
        return section
    }

    private var newIDs: [PieceID] {
        (0..<extended.count).map { PieceID($0) }.filter(isNew)
    }

    private func isNew(_ id: PieceID) -> Bool {
        let vocabulary = extended.vocabulary
        return vocabulary.type(of: id) == .normal && base.vocabulary.id(of: vocabulary.bytes(of: id)) == nil
    }

    private func shown(_ id: PieceID) -> String { shownPiece(extended.vocabulary.text(of: id)) }

    private var findings: ReportPage.Section {
        var section = ReportPage.Section(id: "lint", "What lint finds")
        let rows: [(String, Int)] = [
            ("dead rows: no text ever gives them", lint.deadRows.count),
            ("pieces of the base that no longer encode as themselves", lint.brokenBaseRows.count),
            ("entries of the base that changed", lint.changedBaseEntries.count),
            ("new rows without a Han character", lint.rowsWithoutScripts.count),
            ("new rows that mix it with a letter of another script", lint.rowsMixingScripts.count),
            ("new rows with digits side by side", lint.digitStrings.count),
            ("groups of entries that are equal after NFKC", lint.duplicates.count),
            ("new rows that the texts never use", texts.isEmpty ? -1 : lint.unusedRows.count),
            ("long new rows in few contexts", texts.isEmpty ? -1 : lint.junkCandidates.count),
        ]
        section.tables = [
            ReportPage.Table(
                "kuoci lint shows each of them", header: ["finding", "count"],
                rows: rows.filter { $0.1 >= 0 }.map { [$0.0, "\($0.1)"] })
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
private func shortName(_ path: String) -> String {
    let name = (path as NSString).lastPathComponent
    return name.hasSuffix(".txt") ? String(name.dropLast(4)) : name
}
