import ArgumentParser
import Checkpoints
import OrderedJSON
import PieceModel
import TokenizerMetrics
import Tokenizers
import VocabularyMerging

/// Options of the sweep over numbers of added rows.
struct SweepOptions: ParsableArguments {
    @Option(
        name: .customLong("sweep"),
        help: ArgumentHelp(
            "Numbers of rows to add, separated by commas: tokens a character of --text with each, and what it costs.",
            valueName: "sizes"))
    var sizes: String?

    @Option(help: "The model that rows are added to.")
    var base: String?

    @Option(
        help: """
            What is added: a merge with that base, of whose new rows the first so many are kept, or any other model, of \
            whose pieces the first so many that the base lacks are appended with score 0.
            """)
    var add: String?

    func validate() throws {
        if sizes != nil, base == nil || add == nil { throw ValidationError("--sweep needs --base and --add") }
        if sizes == nil, base != nil || add != nil { throw ValidationError("--base and --add need --sweep") }
        _ = try parsedSizes()
    }

    private func parsedSizes() throws -> [Int] {
        let parsed = try trimmedList(sizes ?? "").map { text in
            guard let size = Int(text), size > 0 else {
                throw ValidationError("--sweep: \"\(text)\" is no number of rows; write --sweep 2000,5000,10000")
            }
            return size
        }
        if sizes != nil, parsed.isEmpty { throw ValidationError("--sweep: name one number at least, such as 10000") }
        return parsed
    }

    /// Nil if none was asked for.
    func sweep(on texts: [String], cost: VocabularyCost?) throws -> VocabularySweep? {
        guard let base, let add else { return nil }
        return try VocabularySweep(base: base, addition: add, sizes: parsedSizes(), texts: texts, cost: cost)
    }
}

/// What the first rows of an addition save, by their number.
struct VocabularySweep {
    let base: String
    let addition: String
    /// Whether the rows are appended with score 0, the addition being no merge with the base.
    let isAppended: Bool
    /// New rows that the addition has; what pads it is none.
    let available: Int
    /// Numbers asked for that are above it: all rows stand for them.
    let unreachable: [Int]
    /// Numbers of rows, ascending; the first is none.
    let sizes: [Int]
    let baseCount: Int
    let texts: [(path: String, measure: TokenizationMeasure)]
    let cost: VocabularyCost?

    init(base: String, addition: String, sizes: [Int], texts: [String], cost: VocabularyCost?) throws {
        let baseModel = try SentencePieceModel(contentsOf: tokenizerPath(base))
        let added = try SentencePieceModel(contentsOf: tokenizerPath(addition))
        isAppended = !Self.extends(baseModel, added)
        let whole = isAppended ? try VocabularyMerge(base: baseModel, addition: added).model : added
        let count = baseModel.pieces.count
        let rows = whole.pieces.indices.dropFirst(count).filter { Self.isRow(whole.pieces[$0]) }
        let all = rows.count
        (baseCount, available) = (count, all)
        unreachable = Set(sizes.filter { $0 > all }).sorted()
        self.sizes = Set([0] + sizes.map { min($0, all) }).sorted()
        let tokenizers = try self.sizes.map { size in
            var model = whole
            model.proto.pieces.removeSubrange((size == 0 ? count : rows[size - 1] + 1)...)
            return try Tokenizer(model)
        }
        self.texts = try texts.map { ($0, try TokenizationMeasure(file: $0, tokenizers: tokenizers)) }
        (self.base, self.addition, self.cost) = (base, addition, cost)
    }

    /// Whether a model is a merge with the base, whose rows are taken as they stand there.
    private static func extends(_ base: SentencePieceModel, _ addition: SentencePieceModel) -> Bool {
        addition.pieces.count > base.pieces.count
            && zip(base.pieces, addition.pieces).allSatisfy { $0.piece.utf8.elementsEqual($1.piece.utf8) }
    }

    /// Whether text may become a piece: not what is there as padding.
    private static func isRow(_ piece: SentencePieceModel.Piece) -> Bool {
        piece.type == .normal || piece.type == .userDefined
    }

    /// What so many rows are worth on a text.
    private func worth(_ index: Int, _ measure: TokenizationMeasure) -> ExtensionWorth {
        ExtensionWorth(
            tokensPerCharacterBefore: ratio(measure.counts[0].tokens, measure.characters),
            tokensPerCharacterAfter: ratio(measure.counts[index].tokens, measure.characters),
            costPerToken: cost?.ratio(of: baseCount + sizes[index], to: baseCount) ?? 1)
    }

    var table: String {
        let parts = texts.map { path, measure in
            "\(path): the first rows of \(addition) after \(base)\(isAppended ? ", appended with score 0" : "")\n"
                + alignedTable([header] + sizes.indices.map { row($0, measure) }) + "\n" + answer(measure)
        }
        let left = unreachable.map { "\($0)" }.joined(separator: ", ")
        return parts.joined(separator: "\n\n")
            + (unreachable.isEmpty ? "" : "\n\(addition) has only \(available) new rows: all of them for \(left)")
    }

    private var header: [String] {
        ["rows", "entries", "tokens", "token/char", "tokens saved"]
            + (cost == nil
                ? [] : ["parameters added", "of the model", "optimizer GB", "cost/token", "computing saved"])
            + ["worth it"]
    }

    private func row(_ index: Int, _ measure: TokenizationMeasure) -> [String] {
        let worth = worth(index, measure)
        let entries = baseCount + sizes[index]
        var row = [
            "\(sizes[index])", "\(entries)", "\(measure.counts[index].tokens)", fixed(worth.tokensPerCharacterAfter, 4),
            percent(worth.savedTokens, 1),
        ]
        if let cost {
            let added = sizes[index] * cost.parametersPerEntry
            row += [
                "\(added)", percent(ratio(added, cost.parameters(entries: entries)), 2),
                fixed(Double(cost.optimizerBytes(entries: sizes[index])) / 1e9, 3), fixed(worth.costPerToken, 4),
                percent(worth.saving, 1),
            ]
        }
        return row + [index == 0 ? "-" : worth.verdict?.rawValue ?? "-"]
    }

    private func answer(_ measure: TokenizationMeasure) -> String {
        let all = sizes.indices.dropFirst().map { (size: sizes[$0], worth: worth($0, measure)) }
        guard let best = all.max(by: { $0.worth.saving < $1.worth.saving }), best.worth.saving.isFinite else {
            return measure.texts == 0 ? "the text is empty: no answer" : "no rows, no answer"
        }
        let what = cost == nil ? "tokens" : "computing"
        let first = all.first { $0.worth.verdict == .yes && $0.size < best.size }
        let enough = first.map { "; \($0.size) rows are enough for that" } ?? ""
        return "is extending it worth it? \(best.worth.answer): \(best.size) rows save most, "
            + "\(percent(best.worth.saving, 1)) of the \(what) \(ExtensionWorth.rule)\(enough)"
    }

    var json: JSONValue {
        [
            "base": .string(base), "addition": .string(addition), "appended": .bool(isAppended),
            "available_rows": .integer(available),
            "unreachable": .array(unreachable.map { .integer($0) }),
            "texts": .array(
                texts.map { path, measure in
                    [
                        "text": .string(path), "characters": .integer(measure.characters),
                        "sizes": .array(sizes.indices.map { json($0, measure) }),
                    ]
                }),
        ]
    }

    private func json(_ index: Int, _ measure: TokenizationMeasure) -> JSONValue {
        let entries = baseCount + sizes[index]
        let worth = worth(index, measure)
        var json: JSONValue = [
            "rows": .integer(sizes[index]), "entries": .integer(entries),
            "tokens": .integer(measure.counts[index].tokens),
            "tokens_per_character": .double(worth.tokensPerCharacterAfter),
            "added_parameters": cost.map { .integer(sizes[index] * $0.parametersPerEntry) } ?? .null,
            "parameters": cost.map { .integer($0.parameters(entries: entries)) } ?? .null,
            "optimizer_bytes": cost.map { .integer($0.optimizerBytes(entries: sizes[index])) } ?? .null,
        ]
        worth.addMembers(to: &json)
        return json
    }
}
