import ArgumentParser
import Checkpoints
import FileIO
import Reports
import Tokenizers

/// `kuoci report`: what was done, with plots, on one page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a page with plots about an extended vocabulary and its training.",
        discussion: """
            Looks in the directories, and in those that they hold, for a tokenizer that `kuoci merge` wrote and for runs of \
            `kuoci pretrain`; the page shows what is there: tokens a character before and after, whether that is worth it, how \
            many rows it takes and what they cost, coverage, what lint finds, sentences as both tokenizers cut them, loss, \
            learning rate, gradient norm and bits per byte of the runs, and what all that was made of. It is one file that opens \
            without a network. --compare draws ways to train over one another: bits per byte by text, by computing and by time.

            Example: kuoci report out --text out/corpus/zh.heldout.txt out/corpus/en.heldout.txt --out out/report.html
            """)

    @Argument(help: "What to report about: directories that kuoci wrote, or that hold such.")
    var directories: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Runs to compare, each a directory that holds one run or several that follow one another.",
            valueName: "name=dir"))
    var compare: [String] = []

    @Option(help: ArgumentHelp("A directory to write each plot to as well, as an SVG file.", valueName: "dir"))
    var plots: String?

    @Option(help: "The page to write.")
    var out = "report.html"

    @Option(help: "The extended tokenizer (default: the first that the directories hold).")
    var tokenizer: String?

    @Option(help: "The tokenizer that it extends (default: the one that kuoci merge was given).")
    var base: String?

    @Option(
        parsing: .upToNextOption, help: "Texts to measure and to take sentences from, one a line; the first tells most."
    )
    var text: [String] = []

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Files of several languages whose lines are one another's translations: how many tokens a language takes for "
                + "each of the first one's.", valueName: "name=file"))
    var parallel: [String] = []

    @Option(help: "A config.json: what rows cost that model (default: the model of the first run that is there).")
    var config: String?

    @Option(help: "Sentences to show, 1000 at most.")
    var sentences = 20

    @Option(help: "The page's title.")
    var title = "Kuoci: an extended vocabulary"

    @Flag(help: "Replace the page if it exists.")
    var force = false

    func validate() throws {
        if directories.isEmpty, compare.isEmpty, tokenizer == nil {
            throw ValidationError("name at least one directory")
        }
        if directories.isEmpty, tokenizer == nil, !text.isEmpty || !parallel.isEmpty {
            throw ValidationError("--text and --parallel need a directory with a tokenizer, or --tokenizer")
        }
        _ = try comparedDirectories()
        let languages = try parallelFiles().map(\.language)
        if languages.count == 1 { throw ValidationError("--parallel needs two languages at least") }
        if Set(languages).count < languages.count {
            throw ValidationError("--parallel: give each language a name of its own")
        }
        if !(0...1000).contains(sentences) { throw ValidationError("--sentences must be from 0 to 1000") }
    }

    func run() throws {
        try requireInputs(directories + givenFiles, outside: out)
        if !force { try refuseExisting(out) }
        let sources = try ReportSources(directories, mayBeEmpty: directories.isEmpty || tokenizer != nil)
        let ways = try comparedDirectories().map { (name: $0.name, sources: try ReportSources([$0.directory])) }
        let reported = try reportedVocabulary(sources)
        let report = try reported.map { try $0.report(texts: text, languages: parallelFiles()) }
        var page = ReportPage(title: title)
        page.tiles = (report?.tiles() ?? []) + runTiles(sources.runs)
        page.sections = try report?.sections(sentences: sentences) ?? []
        page.sections += runSections(sources.runs)
        if !ways.isEmpty { page.sections.append(comparison(ways)) }
        let origin = ReportOrigin(sources: [sources] + ways.map(\.sources), files: (reported?.files ?? []) + textFiles)
        page.sections.append(try origin.section())
        page.subtitle = subtitle(sources, report)
        let drawn = plots.map { ReportPlots(page.sections.flatMap(\.figures), in: $0) }
        try drawn?.check(replacing: force)
        try drawn?.write()
        // Last, so that a page that is there has all that belongs to it.
        try page.write(to: out)
        let left = text.isEmpty && report != nil ? "; with --text FILES it would also measure" : ""
        print("\(out): \(page.subtitle)\(left)")
    }

    // MARK: Arguments

    private func comparedDirectories() throws -> [(name: String, directory: String)] {
        try compare.map { argument in
            guard let (name, path) = namedPath(argument) else {
                throw ValidationError("--compare \(argument): write NAME=DIR, such as new-rows=out/run")
            }
            return (name, path)
        }
    }

    private func parallelFiles() throws -> [(language: String, path: String)] {
        try parallel.map { argument in
            guard let (name, path) = namedPath(argument) else {
                throw ValidationError("--parallel \(argument): write NAME=FILE, such as zh=lines.zh.txt")
            }
            return (name, path)
        }
    }

    /// Nil unless something stands on the left of an equals sign.
    private func namedPath(_ argument: String) -> (name: String, path: String)? {
        guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else { return nil }
        return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
    }

    private var textFiles: [String] { text + parallel.compactMap { namedPath($0)?.path } }
    private var givenFiles: [String] { textFiles + [tokenizer, base, config].compactMap { $0 } }

    // MARK: The vocabulary

    /// The tokenizers to report about.
    private struct ReportedVocabulary {
        var base: String
        var extended: String
        /// Nil where the extended one is no merge.
        var merge: ReportedMerge?
        /// The config.json of the model whose entries cost something; nil where there is none.
        var config: String?

        var files: [String] { [tokenizerPath(base), tokenizerPath(extended)] + [config].compactMap { $0 } }

        func report(texts: [String], languages: [(language: String, path: String)]) throws -> VocabularyReport {
            try VocabularyReport(
                base: base, extended: extended, texts: texts, languages: languages,
                cost: config.map { try VocabularyCost(ModelConfig(contentsOf: $0)) }, merge: merge)
        }
    }

    private func reportedVocabulary(_ sources: ReportSources) throws -> ReportedVocabulary? {
        guard let path = tokenizer ?? sources.merges.first?.path else {
            if !textFiles.isEmpty { throw ReportError.noTokenizer(directories: directories) }
            return nil
        }
        // What one merge extended says nothing of another tokenizer.
        let merge = tokenizer == nil ? sources.merges.first : try ReportedMerge(path)
        let others = tokenizer == nil ? sources.merges.dropFirst().map(\.path) : []
        if !others.isEmpty {
            printDiagnostic(
                "kuoci: the page is about \(path), not \(others.joined(separator: ", ")); choose with --tokenizer")
        }
        guard let base = try base ?? merge?.basePath() else { throw ReportError.noBase(tokenizer: path) }
        return ReportedVocabulary(
            base: base, extended: path, merge: merge,
            config: config ?? sources.runs.lazy.compactMap(\.modelConfig).first)
    }

    // MARK: Parts of the page

    private func comparison(_ ways: [(name: String, sources: ReportSources)]) -> ReportPage.Section {
        RunComparison(ways.map { RunComparison.Way(name: $0.name, runs: $0.sources.runs) }).section
    }

    private func subtitle(_ sources: ReportSources, _ report: VocabularyReport?) -> String {
        let runs = sources.runs.count
        // Of several, the one that it is about.
        let name = tokenizer == nil && sources.merges.count > 1 ? sources.merges.first.map { " of \($0.path)" } : nil
        return [
            report.map { "\($0.base.count) → \($0.extended.count) entries\(name ?? "")" },
            text.isEmpty || report == nil ? nil : "\(text.count) text\(text.count == 1 ? "" : "s")",
            runs > 0 ? "\(runs) training run\(runs == 1 ? "" : "s")" : nil,
            compare.isEmpty ? nil : "\(compare.count) way\(compare.count == 1 ? "" : "s") to train compared",
        ].compactMap { $0 }.joined(separator: ", ")
    }
}
