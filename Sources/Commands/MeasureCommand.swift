import ArgumentParser
import Checkpoints
import OrderedJSON
import TokenizerMetrics
import Tokenizers

struct MeasureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "measure",
        abstract: "Counts what tokenizers make of texts.",
        discussion: """
            For each file and tokenizer: tokens, characters and bytes a token, the share of byte-fallback tokens, the \
            number of tokens relative to the first tokenizer's, and how many texts (lines) get other ids than from the first; \
            the share of the entries that come, Rényi efficiency (order 2.5), tokens a word where words have spaces between \
            them, the longest and the rarest pieces. And an answer: is extending the first tokenizer's vocabulary worth it \
            for this text? Yes where computing it takes a quarter less than with the first, little from a tenth on, no below. \
            With one tokenizer alone it is compared with one that takes \(ExtensionWorth.reachable) tokens for a Chinese \
            character, which 20,000 pieces reach.

            With --parallel or --sweep, JSON is an object of "texts", "parallel" and "sweep", without them the list of texts.

            Example: kuoci measure --tokenizer llama.model --tokenizer out/merged --text out/corpus/zh.heldout.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json
    }

    @Option(
        help: "A .model file, or a directory that holds tokenizer.model; several to compare, the first is the base.")
    var tokenizer: [String] = []

    @Option(parsing: .upToNextOption, help: "Text files, one text a line.")
    var text: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Files of several languages, as NAME=FILE, whose lines are one another's translations: how many tokens a language "
                + "takes for each of the first one's.", valueName: "name=file"))
    var parallel: [String] = []

    @Option(help: "A config.json: what entries cost that model counts in the answer.")
    var config: String?

    @Option(help: "How many of the longest and of the rarest pieces to show.")
    var pieces = 5

    @Option(help: "How to print: table or json.")
    var format = Format.table

    @OptionGroup(title: "How many rows to add") var sweep: SweepOptions

    func validate() throws {
        if pieces < 0 { throw ValidationError("--pieces must not be negative.") }
        if tokenizer.isEmpty, sweep.sizes == nil {
            throw ValidationError("give --tokenizer, or --sweep with --base and --add")
        }
        if text.isEmpty, parallel.isEmpty { throw ValidationError("give --text, or --parallel with --tokenizer") }
        if text.isEmpty, sweep.sizes != nil { throw ValidationError("--sweep needs --text to measure on") }
        if tokenizer.isEmpty, !parallel.isEmpty { throw ValidationError("--parallel needs --tokenizer") }
        let languages = try parallelFiles().map(\.language)
        if languages.count == 1 { throw ValidationError("--parallel needs two languages at least") }
        if let twice = languages.first(where: { name in languages.count { $0 == name } > 1 }) {
            throw ValidationError("--parallel: \"\(twice)\" names two files; give each language a name of its own")
        }
    }

    func run() throws {
        let cost = try config.map { try VocabularyCost(ModelConfig(contentsOf: $0)) }
        let tokenizers = try tokenizer.map {
            NamedTokenizer(name: $0, tokenizer: try Tokenizer(contentsOf: tokenizerPath($0)))
        }
        let texts = try (tokenizers.isEmpty ? [] : text).map {
            MeasuredText(
                path: $0, tokenizers: tokenizers, cost: cost, shownPieces: pieces,
                measure: try TokenizationMeasure(file: $0, tokenizers: tokenizers.map(\.tokenizer)))
        }
        let aligned = try parallelMeasure(tokenizers.map(\.tokenizer))
        let swept = try sweep.sweep(on: text, cost: cost)
        switch format {
        case .table: print(table(texts, aligned, swept))
        case .json: print(json(texts, aligned, swept).text(.pretty))
        }
    }

    private func parallelFiles() throws -> [(language: String, path: String)] {
        try parallel.map { argument in
            guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
                throw ValidationError("--parallel \(argument): write NAME=FILE, such as zh=lines.zh.txt")
            }
            return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
        }
    }

    private func parallelMeasure(_ tokenizers: [Tokenizer]) throws -> ParallelMeasure? {
        let files = try parallelFiles()
        return files.isEmpty ? nil : try ParallelMeasure(files, tokenizers: tokenizers)
    }

    private func table(_ texts: [MeasuredText], _ aligned: ParallelMeasure?, _ swept: VocabularySweep?) -> String {
        (texts.map(\.table) + (aligned.map { [$0.table(tokenizer)] } ?? []) + (swept.map { [$0.table] } ?? []))
            .joined(separator: "\n\n")
    }

    private func json(_ texts: [MeasuredText], _ aligned: ParallelMeasure?, _ swept: VocabularySweep?) -> JSONValue {
        let list = JSONValue.array(texts.map(\.json))
        if aligned == nil, swept == nil { return list }
        return ["texts": list, "parallel": aligned?.json(tokenizer) ?? .null, "sweep": swept?.json ?? .null]
    }
}

/// A tokenizer by the name that it was given under.
struct NamedTokenizer {
    var name: String
    var tokenizer: Tokenizer
}
