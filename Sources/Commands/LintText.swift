import Tokenizers
import UnicodeText
import VocabularyLint

/// A lint report for people: a paragraph for each kind of finding, what is wrong first.
struct LintText {
    private let report: LintReport
    private let examples: Int
    private let path: String
    private let base: String?
    private let corpus: [String]

    init(_ report: LintReport, examples: Int, path: String, base: String?, corpus: [String]) {
        self.report = report
        self.examples = examples
        self.path = path
        self.base = base
        self.corpus = corpus
    }

    var text: String {
        ([header] + deadRows + baseRows + agreement + content + use + coverage).joined(separator: "\n")
    }

    private var header: String {
        let entries = "\(path): \(report.vocabulary.count) entries"
        guard let base else { return entries + ", of which the \(report.rowCount) normal pieces are looked at" }
        return entries + ", of which the \(report.rowCount) normal pieces that \(base) lacks are looked at"
    }

    private enum Severity: String {
        case ok = "ok       "
        case note = "note     "
        case warning = "warning  "
        case error = "error    "
    }

    /// What was found, with the first rows of it; nothing found is well.
    private func finding<Row>(
        _ severity: Severity, _ rows: [Row], _ text: String, none: String, _ row: (Row) -> String
    ) -> [String] {
        if rows.isEmpty { return [Severity.ok.rawValue + none] }
        let shown = rows.prefix(examples).map { "           " + row($0) }
        let rest = rows.count - shown.count
        return [severity.rawValue + text] + shown + (rest > 0 && examples > 0 ? ["           and \(rest) more"] : [])
    }

    private var deadRows: [String] {
        let rows = report.deadRows
        let chainless = rows.count { if case .noChain = $0.reason { true } else { false } }
        let why = chainless > 0 ? "; \(chainless) of them have no chain of two-piece merges" : ""
        // One of each kind comes first, so that few examples show them all.
        return finding(
            .error, firstOfEachReason(rows), "\(rows.count) rows that no text gives\(why)",
            none: "each row is given by some text", text)
    }

    private func firstOfEachReason(_ rows: [DeadRow]) -> [DeadRow] {
        var seen: Set<String> = []
        let first = rows.filter { seen.insert(reasonName($0.reason)).inserted }
        let ids = Set(first.map(\.id))
        return first + rows.filter { !ids.contains($0.id) }
    }

    private var baseRows: [String] {
        guard base != nil else { return [] }
        return finding(
            .error, report.changedBaseEntries, "\(report.changedBaseEntries.count) entries of the base have changed",
            none: "every entry of the base has its id and type", name)
            + finding(
                .error, report.brokenBaseRows,
                "\(report.brokenBaseRows.count) pieces of the base no longer encode as themselves",
                none: "every piece of the base encodes as it did", text)
            + (report.deadInBase.isEmpty
                ? []
                : finding(
                    .note, report.deadInBase, "\(report.deadInBase.count) pieces do not in the base either", none: "",
                    text))
    }

    private var agreement: [String] {
        let lines = corpus.isEmpty ? "lines of the probe" : "lines"
        return report.agreements.map { file in
            let severity: Severity = file.differing > 0 ? .error : .ok
            return severity.rawValue + "\(file.path) gives other ids on \(file.differing) of \(file.lines) \(lines)"
        }
    }

    private var content: [String] {
        var findings: [String] = []
        if !report.scripts.isEmpty {
            let wanted = report.scripts.map(\.name).joined(separator: ", ")
            let blocks = report.scripts.contains(.han) ? ", \(report.rowsWithoutIdeographs.count) no CJK ideograph" : ""
            findings += finding(
                .warning, report.rowsWithoutScripts,
                "\(report.rowsWithoutScripts.count) rows hold no character of \(wanted)\(blocks)",
                none: "every row holds a character of \(wanted)", name)
            findings += finding(
                .warning, report.rowsMixingScripts,
                "\(report.rowsMixingScripts.count) rows hold one beside a letter of another script",
                none: "none holds a letter of another script beside it", name)
        }
        findings += finding(
            .warning, report.digitStrings, "\(report.digitStrings.count) rows hold digits side by side",
            none: "no row holds digits side by side", name)
        return findings
            + finding(
                .warning, report.duplicates, "\(report.duplicates.count) groups of entries are equal after NFKC",
                none: "no row is another entry after NFKC"
            ) { $0.map(name).joined(separator: " = ") }
    }

    private var use: [String] {
        guard let use = report.corpus else { return [] }
        let text = "\(corpus.joined(separator: ", ")) (\(use.tokens) tokens)"
        return finding(
            .warning, report.unusedRows, "\(report.unusedRows.count) rows that could be given never are in \(text)",
            none: "every row that can be given is in \(text)", name)
            + finding(
                .warning, report.junkCandidates,
                "\(report.junkCandidates.count) rows of \(CorpusUse.junkLength) characters or more come in few contexts",
                none: "no row of \(CorpusUse.junkLength) characters or more comes in few contexts only"
            ) { "\(name($0.id)): \($0.count) times, between \($0.contexts) pairs of neighbours" }
    }

    private var coverage: [String] {
        let rows = report.standards + report.blocks.filter { $0.covered > 0 }
        let empty = report.blocks.count - (rows.count - report.standards.count)
        let table = rows.map { list in
            let missing = list.missing.prefix(examples * 2).map { String($0) }.joined(separator: " ")
            let more = list.missing.count > examples * 2 ? " …" : ""
            return ["  " + list.name, "\(list.covered)", "of \(list.count)"]
                + (missing.isEmpty ? [] : ["missing \(missing)\(more)"])
        }
        return ["characters with a row of their own"] + aligned(table)
            + (empty > 0 ? ["  none of \(empty) other CJK blocks"] : [])
    }

    /// The first columns as a table, the last one as it is: its characters are of different widths.
    private func aligned(_ rows: [[String]]) -> [String] {
        let table = alignedTable(rows.map { Array($0.prefix(3)) }).split(separator: "\n").map(String.init)
        return zip(table, rows).map { line, row in row.count > 3 ? line + "  " + row[3] : line }
    }

    private func text(_ row: DeadRow) -> String {
        let parts = row.parts.map(piece).joined(separator: " ")
        switch row.reason {
        case .noChain(let bridges):
            return "\(name(row.id)) = \(parts): would need \(bridges.map(shownPiece).joined(separator: ", "))"
        case .forestalled(let id?): return "\(name(row.id)) = \(parts): \(piece(id)) is made first"
        case .forestalled(nil), .partsPreferred: return "\(name(row.id)) = \(parts)"
        case .normalizedAway: return "\(name(row.id)): normalization leaves it in no text"
        case .holdsUserDefined(let id): return "\(name(row.id)) = \(parts): \(piece(id)) is user-defined"
        }
    }

    private func name(_ id: PieceID) -> String {
        report.vocabulary.contains(id) ? "\(id) \(piece(id))" : "\(id) (missing)"
    }

    private func piece(_ id: PieceID) -> String { shownPiece(report.vocabulary.text(of: id)) }
}

/// A reason's name for programs.
func reasonName(_ reason: DeadRow.Reason) -> String {
    switch reason {
    case .noChain: "no_chain"
    case .forestalled: "forestalled"
    case .normalizedAway: "normalized_away"
    case .holdsUserDefined: "holds_user_defined"
    case .partsPreferred: "parts_preferred"
    }
}

extension Script {
    /// As `--scripts` takes it.
    var name: String {
        switch self {
        case .han: "Han"
        case .latin: "Latin"
        case .kana: "Kana"
        case .bopomofo: "Bopomofo"
        case .hangul: "Hangul"
        case .common: "Common"
        case .other: "other"
        }
    }
}
