import ArgumentParser
import Foundation
import OrderedJSON
import TokenizerMetrics
import Tokenizers

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Counts what tokenizers make of texts.",
        discussion: """
            For each file and tokenizer: tokens, characters and bytes a token, the share of byte-fallback tokens, the \
            number of tokens relative to the first tokenizer's, and how many texts (lines) get other ids than from the first.

            Example: kuoci measure --tokenizer llama.model --tokenizer out/merged --text out/corpus/zh.heldout.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    @Option(
        help: "A .model file, or a directory that holds tokenizer.model; several to compare, the first is the base.")
    var tokenizer: [String]

    @Option(parsing: .upToNextOption, help: "Text files, one text a line.")
    var text: [String]

    @Option(help: "How to print: table or json.")
    var format = Format.table

    func run() throws {
        let tokenizers = try tokenizer.map { try Tokenizer(contentsOf: tokenizerPath($0)) }
        let measures = try text.map { (path: $0, measure: try TokenizationMeasure(file: $0, tokenizers: tokenizers)) }
        switch format {
        case .table: for (path, measure) in measures { printTable(path, measure, tokenizers) }
        case .json: print(JSONValue.array(measures.map { json($0.path, $0.measure, tokenizers) }).text(.pretty))
        }
    }

    private func printTable(_ path: String, _ measure: TokenizationMeasure, _ tokenizers: [Tokenizer]) {
        print("\(path): \(measure.texts) texts, \(measure.characters) characters, \(measure.bytes) bytes")
        let header = [
            "tokenizer", "entries", "tokens", "char/token", "byte/token", "token/char", "fallback", "ratio", "changed",
        ]
        var rows = [header]
        for (index, count) in measure.counts.enumerated() {
            rows.append([
                tokenizer[index], "\(tokenizers[index].count)", "\(count.tokens)",
                number(ratio(measure.characters, count.tokens), 3), number(ratio(measure.bytes, count.tokens), 3),
                number(ratio(count.tokens, measure.characters), 4),
                number(100 * ratio(count.fallbackTokens, count.tokens), 2) + "%",
                number(ratio(count.tokens, measure.counts[0].tokens), 4), "\(count.changedTexts)",
            ])
        }
        print(alignedTable(rows))
    }

    private func json(_ path: String, _ measure: TokenizationMeasure, _ tokenizers: [Tokenizer]) -> JSONValue {
        let counts = measure.counts.enumerated().map { index, count -> JSONValue in
            [
                "tokenizer": .string(tokenizer[index]), "entries": .integer(tokenizers[index].count),
                "tokens": .integer(count.tokens),
                "characters_per_token": .double(ratio(measure.characters, count.tokens)),
                "bytes_per_token": .double(ratio(measure.bytes, count.tokens)),
                "tokens_per_character": .double(ratio(count.tokens, measure.characters)),
                "fallback_tokens": .integer(count.fallbackTokens), "unknown_tokens": .integer(count.unknownTokens),
                "fallback_share": .double(ratio(count.fallbackTokens, count.tokens)),
                "ratio_to_first": .double(ratio(count.tokens, measure.counts[0].tokens)),
                "changed_texts": .integer(count.changedTexts),
            ]
        }
        return [
            "text": .string(path), "texts": .integer(measure.texts), "characters": .integer(measure.characters),
            "bytes": .integer(measure.bytes), "tokenizers": .array(counts),
        ]
    }

    /// Not a number where the lower part is zero: JSON shows null then.
    private func ratio(_ upper: Int, _ lower: Int) -> Double {
        lower == 0 ? .nan : Double(upper) / Double(lower)
    }

    private func number(_ value: Double, _ digits: Int) -> String {
        value.isFinite ? String(format: "%.\(digits)f", value) : "-"
    }
}
