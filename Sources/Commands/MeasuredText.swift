import Checkpoints
import OrderedJSON
import TokenizerMetrics
import Tokenizers

/// What tokenizers make of one file, as `kuoci measure` shows it.
struct MeasuredText {
    let path: String
    let tokenizers: [NamedTokenizer]
    /// What entries cost the model that it is about.
    let cost: VocabularyCost?
    /// How many of the longest and of the rarest pieces to show.
    let shownPieces: Int
    let measure: TokenizationMeasure

    private typealias Count = TokenizationMeasure.Count

    private var rows: [(tokenizer: NamedTokenizer, count: Count)] {
        zip(tokenizers, measure.counts).map { ($0, $1) }
    }

    private func tokensPerCharacter(_ count: Count) -> Double { ratio(count.tokens, measure.characters) }

    /// NaN where words have no spaces between them.
    private func tokensPerWord(_ count: Count) -> Double {
        measure.text.isSpaced ? ratio(count.tokens, measure.text.words) : .nan
    }

    /// The answers: for each tokenizer after the first; for the first alone, if the text is Chinese, one with what is
    /// to be expected of a Chinese vocabulary, and no name.
    private var answers: [(tokenizer: String?, worth: ExtensionWorth)] {
        guard let first = rows.first, first.count.tokens > 0 else { return [] }
        if rows.count == 1 {
            let worth = ExtensionWorth(
                expectedFor: measure.text, first.count.uses, in: first.tokenizer.tokenizer.vocabulary)
            return worth.map { [(nil, $0)] } ?? []
        }
        return rows.dropFirst().map { row in
            let worth = ExtensionWorth(
                tokensPerCharacterBefore: tokensPerCharacter(first.count),
                tokensPerCharacterAfter: tokensPerCharacter(row.count),
                costPerToken: cost?.ratio(of: row.tokenizer.tokenizer.count, to: first.tokenizer.tokenizer.count) ?? 1)
            return (row.tokenizer.name, worth)
        }
    }

    var table: String {
        ([
            "\(path): \(measure.texts) texts, \(measure.characters) characters, \(measure.bytes) bytes",
            countTable, useTable,
        ] + pieceLines + answerLines).joined(separator: "\n")
    }

    private var answerLines: [String] {
        if !answers.isEmpty { return answers.map(sentence) }
        let why =
            rows.first?.count.tokens == 0
            ? "the text is empty"
            : "one tokenizer alone is judged on Chinese or Japanese text; give a second --tokenizer, or --sweep"
        return ["is extending it worth it? no answer: \(why)"]
    }

    private var countTable: String {
        let header = [
            "tokenizer", "entries", "tokens", "char/token", "byte/token", "token/char", "fallback", "ratio", "changed",
        ]
        return alignedTable(
            [header]
                + rows.map { tokenizer, count in
                    [
                        tokenizer.name, "\(tokenizer.tokenizer.count)", "\(count.tokens)",
                        fixed(ratio(measure.characters, count.tokens), 3), fixed(ratio(measure.bytes, count.tokens), 3),
                        fixed(tokensPerCharacter(count), 4), percent(ratio(count.fallbackTokens, count.tokens), 2),
                        fixed(ratio(count.tokens, measure.counts[0].tokens), 4), "\(count.changedTexts)",
                    ]
                })
    }

    private var useTable: String {
        alignedTable(
            [["tokenizer", "entries used", "of all", "Renyi 2.5", "token/word"]]
                + rows.map { tokenizer, count in
                    [
                        tokenizer.name, "\(count.uses.usedEntries)", percent(count.uses.usedShare, 1),
                        fixed(count.uses.renyiEfficiency, 4), fixed(tokensPerWord(count), 3),
                    ]
                })
    }

    private var pieceLines: [String] {
        if shownPieces == 0 { return [] }
        return rows.flatMap { tokenizer, count in
            func list(_ ids: [PieceID]) -> String {
                ids.map { "\(shownPiece(tokenizer.tokenizer.vocabulary.text(of: $0))) \(count.uses[$0])" }
                    .joined(separator: ", ")
            }
            return [
                "\(tokenizer.name), longest: \(list(longest(tokenizer, count)))",
                "\(tokenizer.name), rarest: \(list(rarest(count)))",
            ]
        }
    }

    private func longest(_ tokenizer: NamedTokenizer, _ count: Count) -> [PieceID] {
        count.uses.longest(shownPieces, in: tokenizer.tokenizer.vocabulary)
    }

    private func rarest(_ count: Count) -> [PieceID] { count.uses.rarest(shownPieces) }

    private func sentence(_ tokenizer: String?, _ worth: ExtensionWorth) -> String {
        let before = fixed(worth.tokensPerCharacterBefore, 4)
        let after = fixed(worth.tokensPerCharacterAfter, 4)
        let per = "tokens a character instead of \(before)"
        guard let tokenizer else {
            return "is extending it worth it? \(worth.answer): with \(ExtensionWorth.reachable) tokens for a "
                + "Chinese character, which 20,000 pieces reach, about \(after) \(per), \(percent(worth.saving, 1)) less "
                + ExtensionWorth.rule
        }
        let tokens = "\(tokenizer), is it worth it? \(worth.answer): \(after) \(per)"
        if cost == nil { return "\(tokens), \(percent(worth.saving, 1)) less \(ExtensionWorth.rule)" }
        return "\(tokens), each taking \(fixed(worth.costPerToken, 3)) times the computing: "
            + "\(percent(worth.saving, 1)) less \(ExtensionWorth.rule)"
    }

    var json: JSONValue {
        [
            "text": .string(path), "texts": .integer(measure.texts), "characters": .integer(measure.characters),
            "bytes": .integer(measure.bytes), "words": measure.text.isSpaced ? .integer(measure.text.words) : .null,
            "tokenizers": .array(rows.map(json)),
            "extension": .array(
                answers.map { tokenizer, worth in
                    var json: JSONValue = ["tokenizer": tokenizer.map { .string($0) } ?? .null]
                    worth.addMembers(to: &json)
                    return json
                }),
        ]
    }

    private func json(_ tokenizer: NamedTokenizer, _ count: Count) -> JSONValue {
        func list(_ ids: [PieceID]) -> JSONValue {
            .array(
                ids.map { id in
                    let vocabulary = tokenizer.tokenizer.vocabulary
                    return [
                        "id": .integer(id.rawValue), "piece": .string(vocabulary.text(of: id)),
                        "characters": .integer(count.uses.characters(of: id, in: vocabulary)),
                        "count": .integer(count.uses[id]),
                    ]
                })
        }
        return [
            "tokenizer": .string(tokenizer.name), "entries": .integer(tokenizer.tokenizer.count),
            "tokens": .integer(count.tokens),
            "characters_per_token": .double(ratio(measure.characters, count.tokens)),
            "bytes_per_token": .double(ratio(measure.bytes, count.tokens)),
            "tokens_per_character": .double(tokensPerCharacter(count)),
            "fallback_tokens": .integer(count.fallbackTokens), "unknown_tokens": .integer(count.unknownTokens),
            "fallback_share": .double(ratio(count.fallbackTokens, count.tokens)),
            "ratio_to_first": .double(ratio(count.tokens, measure.counts[0].tokens)),
            "changed_texts": .integer(count.changedTexts), "used_entries": .integer(count.uses.usedEntries),
            "used_share": .double(count.uses.usedShare), "renyi_entropy": .double(count.uses.renyiEntropy),
            "renyi_efficiency": .double(count.uses.renyiEfficiency), "tokens_per_word": .double(tokensPerWord(count)),
            "longest_pieces": list(longest(tokenizer, count)), "rarest_pieces": list(rarest(count)),
        ]
    }
}

extension ExtensionWorth {
    /// The rule behind a verdict, for the end of a sentence.
    static let rule =
        "(worth it from \(percent(worthwhile, 0)) on, little from \(percent(small, 0)) on)"

    /// The verdict in words.
    var answer: String { verdict?.inWords ?? "no answer" }

    func addMembers(to json: inout JSONValue) {
        json["tokens_per_character_before"] = .double(tokensPerCharacterBefore)
        json["tokens_per_character_after"] = .double(tokensPerCharacterAfter)
        json["saved_tokens"] = .double(savedTokens)
        json["cost_per_token"] = .double(costPerToken)
        json["saving"] = .double(saving)
        json["verdict"] = verdict.map { .string($0.rawValue) } ?? .null
        json["rule"] = ["yes": .double(Self.worthwhile), "little": .double(Self.small)]
    }
}

extension ExtensionWorth.Verdict {
    var inWords: String {
        switch self {
        case .yes: "yes"
        case .little: "it gains little"
        case .no: "no, it gains too little"
        }
    }
}
