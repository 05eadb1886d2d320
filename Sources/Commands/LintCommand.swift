import ArgumentParser
import OrderedJSON
import TokenizerFormats
import Tokenizers
import VocabularyLint

struct LintCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lint",
        abstract: "Finds what is wrong with a vocabulary.",
        discussion: """
            Looks at the rows that the base lacks, or at all without a base. Errors, with which it ends with exit code 2: \
            rows that no text ever gives, pieces of the base that no longer encode as themselves, entries of the base that \
            changed, files of the directory or of --compare that give other ids. Warnings: rows without the wanted scripts, \
            digit strings, duplicates after NFKC, rows that the corpus never uses, rows in so few contexts there that they \
            look like something pages repeat. Also says which characters of GB2312, Big5 and Unicode's CJK blocks have a row.

            Example: kuoci lint --tokenizer out/merged --base llama.model --corpus out/corpus/zh.txt
            """)

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json }

    @Option(help: "A .model, .json or .gguf file, or a directory that holds tokenizer.model or tokenizer.json.")
    var tokenizer: String

    @Option(help: "The tokenizer that it extends (default: none, and all its rows are looked at).")
    var base: String?

    @Option(
        parsing: .upToNextOption,
        help: "Texts, one a line: which rows they use, and whether other files of the tokenizer agree on them.")
    var corpus: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Files that should give the same ids: tokenizer.json, .gguf or .model. Where --tokenizer is a directory, its "
                + "tokenizer.json and .gguf files are compared in any case.",
            valueName: "file"))
    var compare: [String] = []

    @Option(
        help: ArgumentHelp(
            "Writing systems that rows should have a character of, separated by commas: Han, Kana, Bopomofo, Hangul, "
                + "Latin; an empty list asks for none."))
    var scripts = "Han"

    @Option(help: "How to print: text, or json with every row.")
    var format = Format.text

    @Option(help: "Rows of each kind to show in the text.")
    var examples = 5

    /// More than any vocabulary has rows.
    private static let mostExamples = 1 << 30

    func validate() throws {
        if !(0...Self.mostExamples).contains(examples) {
            throw ValidationError("--examples must be from 0 to \(Self.mostExamples).")
        }
        _ = try parsedScripts(scripts)
    }

    func run() throws {
        let file = try TokenizerFile(contentsOf: tokenizer)
        let report = try LintReport(
            file.tokenizer, base: base.map { try TokenizerFile(contentsOf: $0).tokenizer },
            scripts: parsedScripts(scripts), corpus: corpus,
            // A directory was given if what was read lies in it.
            directory: file.path == tokenizer ? nil : tokenizer, comparedWith: compare)
        switch format {
        case .text: print(LintText(report, examples: examples, path: file.path, base: base, corpus: corpus).text)
        case .json: print(lintJSON(report, path: file.path, base: base, corpus: corpus).text(.pretty))
        }
        if report.hasErrors { throw ExitCode(2) }
    }
}
