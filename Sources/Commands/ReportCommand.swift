import ArgumentParser
import FileIO
import Foundation
import Provenance
import Reports
import Tokenizers

/// `kuoci report`: what was done, with plots, on one page.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Writes a page with plots about an extended vocabulary and its training.",
        discussion: """
            Looks in the directories, and in those that they hold, for a tokenizer that `kuoci merge` wrote and for runs of \
            `kuoci pretrain`; the page shows what is there: tokens a character before and after, how many rows that takes, \
            coverage, what lint finds, sentences as both tokenizers cut them, and loss, learning rate, gradient norm and bits \
            per byte of the runs. It is one file that opens without a network. --compare draws ways to train over one \
            another: bits per byte by text, by computing and by time.

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

    @Option(help: "Sentences to show.")
    var sentences = 20

    @Option(help: "The page's title.")
    var title = "Kuoci: an extended vocabulary"

    @Flag(help: "Replace the page if it exists.")
    var force = false

    func validate() throws {
        if directories.isEmpty, compare.isEmpty { throw ValidationError("name at least one directory") }
        if directories.isEmpty, !text.isEmpty { throw ValidationError("--text needs a directory with a tokenizer") }
        _ = try comparedDirectories()
        if sentences < 0 { throw ValidationError("--sentences must not be negative") }
    }

    func run() throws {
        if !force { try refuseExisting(out) }
        let sources = directories.isEmpty ? ReportSources() : try ReportSources(directories)
        let ways = try comparedDirectories().map { name, directory in
            RunComparison.Way(name: name, runs: try ReportSources([directory]).runs)
        }
        var page = ReportPage(title: title)
        let vocabulary = try vocabularyReport(sources)
        page.tiles = (vocabulary?.tiles() ?? []) + runTiles(sources.runs)
        page.sections =
            try (vocabulary?.sections(sentences: sentences) ?? []) + runSections(sources.runs)
            + (ways.isEmpty ? [] : [RunComparison(ways).section]) + [origin(sources)]
        page.subtitle = subtitle(sources, vocabulary)
        try page.write(to: out)
        if let plots { try write(page.sections.flatMap(\.figures), to: plots) }
        let left = text.isEmpty && vocabulary != nil ? "; with --text FILES it would also measure" : ""
        print("\(out): \(page.subtitle)\(left)")
    }

    private func comparedDirectories() throws -> [(name: String, directory: String)] {
        try compare.map { argument in
            guard let equals = argument.firstIndex(of: "="), equals > argument.startIndex else {
                throw ValidationError("--compare \(argument): write NAME=DIR, such as new-rows=out/run")
            }
            return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
        }
    }

    /// Each under its title, in small letters with hyphens.
    private func write(_ figures: [ReportPage.Figure], to directory: String) throws {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        for figure in figures {
            let words = figure.title.lowercased().split { !$0.isLetter && !$0.isNumber }
            let path = "\(directory)/\(words.joined(separator: "-")).svg"
            if !force { try refuseExisting(path) }
            try writeFile(path, figure.file.utf8)
        }
    }

    private func subtitle(_ sources: ReportSources, _ vocabulary: VocabularyReport?) -> String {
        let runs = sources.runs.count
        return [
            vocabulary.map { "\($0.base.count) → \($0.extended.count) entries" },
            text.isEmpty || vocabulary == nil ? nil : "\(text.count) text\(text.count == 1 ? "" : "s")",
            runs > 0 ? "\(runs) training run\(runs == 1 ? "" : "s")" : nil,
            compare.isEmpty ? nil : "\(compare.count) way\(compare.count == 1 ? "" : "s") to train compared",
        ].compactMap { $0 }.joined(separator: ", ")
    }

    private func vocabularyReport(_ sources: ReportSources) throws -> VocabularyReport? {
        guard let path = tokenizer ?? sources.merge?.path else {
            if !text.isEmpty { throw ReportError.noTokenizer(directories: directories) }
            return nil
        }
        guard let base = base ?? sources.merge?.base else { throw ReportError.noBase(tokenizer: path) }
        return try VocabularyReport(base: base, extended: path, texts: text)
    }

    /// How the page came to be.
    private func origin(_ sources: ReportSources) throws -> ReportPage.Section {
        var section = ReportPage.Section(id: "origin", "Where it comes from")
        let machine = ProcessInfo.processInfo
        section.paragraphs = [
            "Kuoci \(Manifest.version), page made on \(machine.operatingSystemVersionString) with \(machine.processorCount) "
                + "processors and \(machine.physicalMemory >> 30) GB of memory."
        ]
        section.tables = [
            ReportPage.Table(
                "Commands", header: ["wrote", "command"], rows: sources.manifests.map { [$0.directory, $0.command] },
                holdsText: true),
            ReportPage.Table(
                "Files read", header: ["file", "bytes", "SHA-256 begins with"],
                rows: sources.inputs.map { [$0.path, "\($0.bytes)", String($0.hash.prefix(12))] }, holdsText: true),
        ]
        return section
    }
}

/// Directories that do not hold what a report needs.
enum ReportError: BadDataError, Equatable {
    case nothing(directories: [String])
    case noTokenizer(directories: [String])
    case noBase(tokenizer: String)
    case badLine(path: String, line: Int, reason: String)
    case badManifest(path: String, reason: String)

    var description: String {
        switch self {
        case .nothing(let directories):
            "\(directories.joined(separator: ", ")): holds neither a tokenizer of kuoci merge nor a run of kuoci pretrain; "
                + "name the directories that they wrote"
        case .noTokenizer(let directories):
            "\(directories.joined(separator: ", ")): holds no tokenizer of kuoci merge that --text could be measured with; "
                + "give one with --tokenizer"
        case .noBase(let tokenizer): "\(tokenizer): does not say what it extends; give the base with --base"
        case .badLine(let path, let line, let reason): "\(path): line \(line) is no event of a run: \(reason)"
        case .badManifest(let path, let reason): "\(path): \(reason); give directories that kuoci wrote"
        }
    }
}
