import Checkpoints
import PieceModel
import Reports
import TokenizerMetrics
import Tokenizers

// What the extension saves, what that costs, and whether it is worth it.

extension VocabularyReport {
    private static let names = ["before", "after"]
    /// Pieces of so many characters and more share a bar.
    private static let longest = 8

    var tokens: ReportPage.Section {
        var section = ReportPage.Section(id: "tokens", "What it saves")
        guard let first = texts.first else { return section }
        section.paragraphs = texts.indices.map(answer)
        let bars = BarPlot(
            "Tokens a character", groups: texts.map { shortName($0.path) },
            series: Self.names.enumerated().map { index, name in
                (name, texts.map { ratio($0.measure.counts[index].tokens, $0.measure.characters) })
            })
        section.figures = [ReportPage.Figure(bars), lengths(first.path, first.measure)]
        section.tables = [countTable, useTable]
        if let sweep {
            section.figures.append(sweepFigure(sweep))
            section.tables.append(sweepTable(sweep))
        }
        return section
    }

    // MARK: The answer

    /// What the tokenizer with so many entries is worth on a text, as the `index`-th of those that it was measured with.
    private func worth(_ measure: TokenizationMeasure, _ index: Int, entries: Int) -> ExtensionWorth {
        ExtensionWorth(
            tokensPerCharacterBefore: ratio(measure.counts[0].tokens, measure.characters),
            tokensPerCharacterAfter: ratio(measure.counts[index].tokens, measure.characters),
            costPerToken: cost?.ratio(of: entries, to: base.count) ?? 1)
    }

    private func answer(_ text: Int) -> String {
        let (path, measure) = texts[text]
        let worth = worth(measure, 1, entries: extended.count)
        let times = cost == nil ? "" : ", each taking \(fixed(worth.costPerToken, 3)) times the computing"
        return
            "Is it worth it for \(shortName(path))? \(worth.answer.prefix(1).uppercased())\(worth.answer.dropFirst()): "
            + "\(fixed(worth.tokensPerCharacterAfter, 4)) tokens a character instead of "
            + "\(fixed(worth.tokensPerCharacterBefore, 4))\(times), \(moreOrLess(worth.saving)) "
            + "\(ExtensionWorth.rule)\(enough(text))."
    }

    private func moreOrLess(_ saving: Double) -> String {
        saving < 0 ? "\(percent(-saving, 1)) more" : "\(percent(saving, 1)) less"
    }

    /// The least number of rows that is worth it too.
    private func enough(_ text: Int) -> String {
        guard let sweep, !sweep.isAppended else { return "" }
        let least = sweep.sizes.indices.first { index in
            worth(sweep.texts[text].measure, index, entries: sweep.baseCount + sweep.sizes[index]).verdict == .yes
        }
        guard let least, least < sweep.sizes.count - 1 else { return "" }
        return "; the first \(sweep.sizes[least]) rows are enough for that"
    }

    // MARK: Texts

    /// How many tokens more or fewer than before.
    func change(_ measure: TokenizationMeasure) -> String {
        let (before, after) = (measure.counts[0].tokens, measure.counts[1].tokens)
        let text = percent(ratio(after - before, before), 1)
        return text.hasPrefix("-") ? text : "+" + text
    }

    private var countTable: ReportPage.Table {
        ReportPage.Table(
            "Texts, one a line; changed: lines that get other ids than before",
            header: [
                "text", "lines", "characters", "tokens before", "after", "change", "byte tokens before", "after",
                "changed",
            ],
            rows: texts.map { path, measure in
                [path, "\(measure.texts)", "\(measure.characters)"] + measure.counts.map { "\($0.tokens)" }
                    + [change(measure)] + measure.counts.map { percent(ratio($0.fallbackTokens, $0.tokens), 1) }
                    + ["\(measure.counts[1].changedTexts)"]
            })
    }

    private var useTable: ReportPage.Table {
        ReportPage.Table(
            "How the entries are used; Rényi efficiency: of order \(EntryUses.renyiOrder); tokens a word: where words have "
                + "spaces between them",
            header: [
                "text", "entries used before", "after", "of all before", "after", "Rényi efficiency before", "after",
                "tokens a word before", "after",
            ],
            rows: texts.map { path, measure in
                let words = measure.text.isSpaced ? measure.text.words : 0
                return [path] + measure.counts.map { "\($0.uses.usedEntries)" }
                    + measure.counts.map { percent($0.uses.usedShare, 1) }
                    + measure.counts.map { fixed($0.uses.renyiEfficiency, 4) }
                    + measure.counts.map { fixed(ratio($0.tokens, words), 3) }
            })
    }

    /// The share of the tokens that have so many characters.
    private func lengths(_ path: String, _ measure: TokenizationMeasure) -> ReportPage.Figure {
        let series = zip(measure.counts, [base, extended]).enumerated().map { index, pair in
            let (count, tokenizer) = pair
            var shares = [Double](repeating: 0, count: Self.longest + 1)
            for (id, uses) in count.uses.counts.enumerated() where uses > 0 {
                let length = count.uses.characters(of: PieceID(id), in: tokenizer.vocabulary)
                shares[min(length, Self.longest)] += 100 * ratio(uses, count.tokens)
            }
            return (Self.names[index], shares)
        }
        let names = ["byte"] + (1..<Self.longest).map { "\($0)" } + ["\(Self.longest)+"]
        var plot = BarPlot("Length of tokens in \(shortName(path)), characters", groups: names, series: series)
        plot.unit = " %"
        return ReportPage.Figure(plot, caption: "The mark of a space counts as a character.")
    }

    // MARK: Numbers of rows

    private func sweepFigure(_ sweep: VocabularySweep) -> ReportPage.Figure {
        let lines = sweep.texts.map { path, measure in
            LinePlot.Line(
                shortName(path),
                zip(sweep.sizes, measure.counts).map { (Double($0), ratio($1.tokens, measure.characters)) })
        }
        var plot = LinePlot("Tokens a character by the number of added rows", x: "rows", lines)
        plot.showsPoints = true
        let how = sweep.isAppended ? ", appended with score 0: the base's entries are not its first ones" : ""
        return ReportPage.Figure(plot, caption: "With the first so many of the new rows alone\(how).")
    }

    private func sweepTable(_ sweep: VocabularySweep) -> ReportPage.Table {
        let caption =
            cost == nil
            ? "What the first so many rows save of the tokens"
            : "What the first so many rows save of the computing, and what they cost; optimizer: AdamW's moments in float32 "
                + "while all of these rows train"
        let costs = cost == nil ? [] : ["parameters added", "of the model", "optimizer GB", "computing a token"]
        return ReportPage.Table(
            caption,
            header: ["rows", "entries"] + costs
                + sweep.texts.flatMap { ["tokens a character, \(shortName($0.path))", "saved"] },
            rows: sweep.sizes.indices.map { index in
                let entries = sweep.baseCount + sweep.sizes[index]
                return ["\(sweep.sizes[index])", "\(entries)"] + costCells(sweep.sizes[index], entries)
                    + sweep.texts.flatMap { _, measure in
                        let worth = worth(measure, index, entries: entries)
                        return [fixed(worth.tokensPerCharacterAfter, 4), percent(worth.saving, 1)]
                    }
            })
    }

    private func costCells(_ rows: Int, _ entries: Int) -> [String] {
        guard let cost else { return [] }
        let added = rows * cost.parametersPerEntry
        return [
            "\(added)", percent(ratio(added, cost.parameters(entries: entries)), 2),
            fixed(Double(cost.optimizerBytes(entries: rows)) / 1e9, 3),
            fixed(cost.ratio(of: entries, to: base.count), 3),
        ]
    }

    // MARK: Languages

    /// Texts that say the same, whose tokens compare.
    var languages: ReportPage.Section {
        var section = ReportPage.Section(id: "languages", "The same in several languages")
        guard let parallel, let first = parallel.languages.first else { return section }
        let bars = BarPlot(
            "Tokens a line", groups: parallel.languages,
            series: zip(Self.names, parallel.tokens).map { name, tokens in
                (name, tokens.map { ratio($0, parallel.texts) })
            })
        section.figures = [ReportPage.Figure(bars)]
        let skipped = parallel.skipped > 0 ? "; \(parallel.skipped) that are empty in a language are left out" : ""
        let others = parallel.languages.dropFirst()
        section.tables = [
            ReportPage.Table(
                "\(parallel.texts) lines that say the same\(skipped)",
                header: ["tokens"] + parallel.languages + others.map { "\($0) for one of \(first)" }
                    + parallel.languages.map { "a character, \($0)" },
                rows: zip(Self.names, parallel.tokens).map { name, tokens in
                    [name] + tokens.map { "\($0)" } + tokens.dropFirst().map { fixed(ratio($0, tokens[0]), 3) }
                        + zip(tokens, parallel.makeups).map { fixed(ratio($0, $1.characters), 4) }
                })
        ]
        return section
    }
}
