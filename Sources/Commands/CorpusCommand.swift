import ArgumentParser
import Corpora
import FileIO
import Foundation
import OrderedJSON
import Partitioning
import Provenance

/// `kuoci corpus`: a corpus of Chinese and of the base language, from packages or from the user's own text.
struct CorpusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus",
        abstract: "Builds a Chinese corpus and an English one, cleaned, deduplicated, a part of each held out.",
        discussion: """
            Without --input the text comes from Debian's documentation packages: apt-get fetches them into the cache,
            dpkg-deb unpacks them there. The output directory gets zh.txt, zh.heldout.txt, en.txt and en.heldout.txt,
            one paragraph a line, and kuoci.json.

            Examples:
              kuoci corpus --sources corpora/sources.tsv --cache .deps/packages --out out/corpus
              kuoci corpus --input corpora/sample.zh.txt corpora/sample.en.txt --out out/sample
            """)

    @Option(
        help: ArgumentHelp(
            "The list of packages. With --input: also take English from its packages. (default: corpora/sources.tsv)",
            valueName: "file"))
    var sources: String?

    @Option(help: ArgumentHelp("Where packages are kept between runs.", valueName: "directory"))
    var cache = ".deps/packages"

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Texts of your own instead: .txt (a document a line) or .jsonl, plain, .gz or .zst."))
    var input: [String] = []

    @Option(help: ArgumentHelp("The directory to write.", valueName: "directory"))
    var out: String

    @Option(help: "Processor cores to use; the result is the same with any number.")
    var threads = availableProcessors

    @Flag(help: "Replace the output directory if it exists.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    func run() throws {
        try requireReplaceable(out, force: force)
        let directory = try OutputDirectory(out, replacing: force)
        var plan = CorpusPlan(texts: input, threads: threads)
        let list = sources ?? (input.isEmpty ? "corpora/sources.tsv" : nil)
        if let list { try addPackages(of: list, to: &plan) }
        let report = try buildCorpus(plan, into: directory.stagingPath, progress: progress.handler())
        try manifest(of: plan, list: list, report).write(to: directory.stagingPath)
        let path = directory.path
        try directory.commit()
        print(table(report), terminator: "")
        print("\(path): zh \(report.bytes(of: .chinese)) bytes, en \(report.bytes(of: .english)) bytes")
        warn(about: report)
    }

    private func addPackages(of list: String, to plan: inout CorpusPlan) throws {
        plan.sources = try readSourceList(list).filter { input.isEmpty || $0.language == .english }
        let cache = try PackageCache(cache)
        var seen: Set<String> = []
        let packages = plan.sources.map(\.package).filter { seen.insert($0).inserted }
        guard !packages.isEmpty else { return }
        let missing = try cache.fetch(packages, progress: progress.handler())
        for package in missing { note("\(package): apt-get cannot fetch it; left out") }
        plan.sources.removeAll { missing.contains($0.package) }
        plan.cache = cache
    }

    private func manifest(of plan: CorpusPlan, list: String?, _ report: CorpusReport) -> Manifest {
        let packages = Set(plan.sources.map(\.package)).sorted().compactMap { plan.cache?.file(of: $0) }
        let options: JSONValue = [
            "sources": list.map { .string($0) } ?? .null, "input": .strings(input),
        ]
        let parts = report.parts.map { part -> JSONValue in
            [
                "name": .string(part.name), "language": .string(part.language.rawValue), "files": .integer(part.files),
                "paragraphs": .integer(part.paragraphs), "bytes": .integer(part.bytes),
                "duplicates": .integer(part.duplicates), "held_out": .integer(part.heldOut),
            ]
        }
        return Manifest(
            options: options, inputs: (list.map { [$0] } ?? []) + input + packages, results: ["parts": .array(parts)])
    }

    private func warn(about report: CorpusReport) {
        for (path, counts) in zip(input, report.textCounts) where counts.repairedLines + counts.nulBytes > 0 {
            note(
                "\(path): \(counts.repairedLines) lines held bytes that are not UTF-8; \(counts.nulBytes) NUL bytes dropped"
            )
        }
        if report.bytes(of: .english) == 0 {
            note("no English text found; name some with --input, or add --sources corpora/sources.tsv")
        }
    }

    private func note(_ text: String) {
        printDiagnostic("kuoci: \(text)")
    }
}

private func table(_ report: CorpusReport) -> String {
    var rows = [["source", "language", "files", "paragraphs", "bytes", "duplicates", "held out"]]
    for part in report.parts {
        let numbers = [part.files, part.paragraphs, part.bytes, part.duplicates, part.heldOut]
        rows.append([part.name, part.language.rawValue] + numbers.map(String.init))
    }
    let widths = rows[0].indices.map { column in rows.reduce(0) { max($0, $1[column].count) } }
    return rows.map { row in
        row.enumerated().map { column, cell in
            let padding = String(repeating: " ", count: widths[column] - cell.count)
            return column < 2 ? cell + padding : padding + cell
        }.joined(separator: "  ") + "\n"
    }.joined()
}
