import OrderedJSON
import TokenizerMetrics

extension ParallelMeasure {
    /// A row for each tokenizer: each language's tokens, and how many they are for one of the first language's.
    func table(_ tokenizers: [String]) -> String {
        let left = skipped > 0 ? ", \(skipped) lines left out that are empty in a language" : ""
        let first = languages[0]
        let header =
            ["tokenizer"] + languages + languages.dropFirst().map { "\($0)/\(first)" }
            + languages.map { "token/char \($0)" }
        let rows = zip(tokenizers, tokens).map { name, tokens in
            [name] + tokens.map { "\($0)" } + tokens.dropFirst().map { fixed(ratio($0, tokens[0]), 4) }
                + zip(tokens, makeups).map { fixed(ratio($0, $1.characters), 4) }
        }
        return "the same in \(languages.joined(separator: ", ")): \(texts) texts\(left)\n"
            + alignedTable([header] + rows)
    }

    func json(_ tokenizers: [String]) -> JSONValue {
        [
            "texts": .integer(texts), "skipped": .integer(skipped),
            "languages": .array(
                zip(languages, makeups).map { language, makeup in
                    [
                        "language": .string(language), "characters": .integer(makeup.characters),
                        "bytes": .integer(makeup.bytes),
                    ]
                }),
            "tokenizers": .array(
                zip(tokenizers, tokens).map { name, tokens in
                    [
                        "tokenizer": .string(name), "tokens": .array(tokens.map { .integer($0) }),
                        "ratio_to_first_language": .array(tokens.map { .double(ratio($0, tokens[0])) }),
                    ]
                }),
        ]
    }
}
