import OrderedJSON
import Tokenizers
import VocabularyLint

/// A lint report for programs: every row of every finding.
func lintJSON(_ report: LintReport, path: String, base: String?, corpus: [String]) -> JSONValue {
    let vocabulary = report.vocabulary
    func row(_ id: PieceID) -> JSONValue {
        ["id": .integer(id.rawValue), "piece": vocabulary.contains(id) ? .string(vocabulary.text(of: id)) : .null]
    }
    func rows(_ ids: [PieceID]) -> JSONValue { .array(ids.map(row)) }
    func dead(_ rows: [DeadRow]) -> JSONValue {
        .array(
            rows.map { deadRow in
                var json = row(deadRow.id)
                json["parts"] = .strings(deadRow.parts.map { vocabulary.text(of: $0) })
                json["reason"] = .string(reasonName(deadRow.reason))
                switch deadRow.reason {
                case .noChain(let bridges): json["bridges"] = .strings(bridges)
                case .forestalled(let id): json["by"] = id.map { .string(vocabulary.text(of: $0)) } ?? .null
                case .holdsUserDefined(let id): json["by"] = .string(vocabulary.text(of: id))
                case .normalizedAway, .partsPreferred: break
                }
                return json
            })
    }
    func coverage(_ list: CharacterCoverage) -> JSONValue {
        ["name": .string(list.name), "characters": .integer(list.count), "covered": .integer(list.covered)]
    }
    var json: JSONValue = [
        "tokenizer": .string(path), "entries": .integer(vocabulary.count),
        "base": base.map { .string($0) } ?? .null,
        "base_entries": report.baseCount.map { .integer($0) } ?? .null, "rows": .integer(report.rowCount),
        "has_errors": .bool(report.hasErrors),
        "errors": [
            "dead_rows": dead(report.deadRows), "broken_base_rows": dead(report.brokenBaseRows),
            "changed_base_entries": rows(report.changedBaseEntries),
            "disagreements": .array(report.agreements.filter { $0.differing > 0 }.map { .string($0.path) }),
        ],
        "warnings": [
            "dead_in_base": dead(report.deadInBase), "without_scripts": rows(report.rowsWithoutScripts),
            "mixing_scripts": rows(report.rowsMixingScripts),
            "without_ideographs": rows(report.rowsWithoutIdeographs), "digit_strings": rows(report.digitStrings),
            "duplicates": .array(report.duplicates.map(rows)),
        ],
        "scripts": .strings(report.scripts.map(\.name)),
        "files": .array(
            report.agreements.map {
                ["path": .string($0.path), "lines": .integer($0.lines), "differing_lines": .integer($0.differing)]
            }),
        "standards": .array(
            report.standards.map { list in
                var json = coverage(list)
                json["missing"] = .string(list.missing.map { String($0) }.joined())
                return json
            }),
        "blocks": .array(report.blocks.map(coverage)), "corpus": .null,
    ]
    guard let use = report.corpus else { return json }
    json["corpus"] = [
        "files": .strings(corpus), "texts": .integer(use.texts), "tokens": .integer(use.tokens),
        "unused_rows": rows(report.unusedRows),
        "junk_candidates": .array(
            report.junkCandidates.map { candidate in
                var json = row(candidate.id)
                json["count"] = .integer(candidate.count)
                json["contexts"] = .integer(candidate.contexts)
                json["diversity"] = .double(candidate.diversity)
                return json
            }),
    ]
    return json
}
