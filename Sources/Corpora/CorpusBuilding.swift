import FileIO
import Foundation
public import Partitioning

/// Where the text of a corpus comes from.
public struct CorpusPlan: Sendable {
    /// Packages, and the cache that holds them.
    public var sources: [CorpusSource]
    public var cache: PackageCache?
    /// Texts of the user's (.txt, .jsonl, packed or not), sorted into languages by their letters.
    public var texts: [String]
    public var threads: Int

    public init(
        sources: [CorpusSource] = [], cache: PackageCache? = nil, texts: [String] = [],
        threads: Int = availableProcessors
    ) {
        self.sources = sources
        self.cache = cache
        self.texts = texts
        self.threads = threads
    }
}

/// What a corpus was built from.
public struct CorpusReport: Sendable {
    public var parts: [CorpusPart] = []
    /// Documents, blank and mended lines of the user's texts.
    public var textCounts: [DocumentCounts] = []

    /// Bytes kept of a language.
    public func bytes(of language: Language) -> Int {
        parts.reduce(0) { $0 + ($1.language == language ? $1.bytes : 0) }
    }
}

/// Writes the corpus files into an existing directory: texts first, then packages by name, each file by its path.
///
/// The bytes written depend on the inputs only, not on the number of threads.
public func buildCorpus(
    _ plan: CorpusPlan, into directory: String, progress: ProgressHandler = { _ in }
) throws -> CorpusReport {
    let extracted = try extractPackages(plan, progress)
    var sizes: [Language: Int] = [:]
    let textSize = try plan.texts.reduce(0) { try $0 + MappedFile($1).count }
    for language in Language.allCases { sizes[language] = textSize }
    for source in extracted {
        sizes[source.part.language, default: 0] += source.paragraphs.reduce(0) { $0 + $1.text.count }
    }
    var writer = try CorpusWriter(directory: directory, sizes: sizes)
    var report = CorpusReport()
    for path in plan.texts { try addText(path, plan, to: &writer, &report, progress) }
    for source in extracted {
        var part = source.part
        for paragraph in source.paragraphs { try writer.add(paragraph, to: &part) }
        report.parts.append(part)
    }
    // Before anything gets its name.
    if report.bytes(of: .chinese) == 0 {
        throw CorpusError.noText(paths: plan.texts + plan.sources.map(\.package), language: "Chinese")
    }
    try writer.finish()
    return report
}

private struct ExtractedSource {
    var part: CorpusPart
    var paragraphs: [Paragraph] = []
}

private func extractPackages(_ plan: CorpusPlan, _ progress: ProgressHandler) throws -> [ExtractedSource] {
    guard let cache = plan.cache else { return [] }
    let sources = plan.sources.sorted { ($0.package, $0.language.rawValue) < ($1.package, $1.language.rawValue) }
    // Each package once, though several rows may read it.
    let packages = Array(Set(sources.map(\.package))).sorted()
    let directories = try concurrentMap(count: packages.count, threads: plan.threads) {
        try cache.unpack(packages[$0])
    }
    let directoryOf = Dictionary(uniqueKeysWithValues: zip(packages, directories))
    var results: [ExtractedSource] = []
    var work: [(source: Int, file: DocumentationFile)] = []
    for source in sources {
        guard let directory = directoryOf[source.package] ?? nil else { continue }
        let files = try documentationFiles(in: directory, within: source.paths)
        work += files.map { (results.count, $0) }
        results.append(
            ExtractedSource(part: CorpusPart(name: source.package, language: source.language, files: files.count)))
    }
    // In portions, for the sake of progress.
    for start in stride(from: 0, to: work.count, by: 256) {
        let portion = work[start..<min(start + 256, work.count)]
        let languages = results.map(\.part.language)
        let paragraphs = try concurrentMap(count: portion.count, threads: plan.threads) { index in
            let item = portion[start + index]
            return try item.file.paragraphs().flatMap(cleanedParagraphs)
                .filter { $0.language == languages[item.source] }
        }
        for (item, found) in zip(portion, paragraphs) { results[item.source].paragraphs += found }
        progress(.init(stage: "extracting text", completed: portion.endIndex, total: work.count))
    }
    return results
}

/// Reads a text in portions of a few MiB, cleans each on all cores, and adds the paragraphs in their order.
private func addText(
    _ path: String, _ plan: CorpusPlan, to writer: inout CorpusWriter, _ report: inout CorpusReport,
    _ progress: ProgressHandler
) throws {
    var reader = try DocumentReader(path)
    var parts = Language.allCases.map { CorpusPart(name: path, language: $0, files: 1) }
    while true {
        let documents = try nextPortion(&reader)
        if documents.isEmpty { break }
        let ranges = partitions(of: documents.count, into: max(1, plan.threads))
        let cleaned = try concurrentMap(count: ranges.count, threads: plan.threads) { index in
            documents[ranges[index]].flatMap { document in
                document.split(separator: 0x0A).flatMap { cleanedParagraphs(of: Array($0)) }
            }
        }
        for paragraph in cleaned.joined() {
            for index in parts.indices where parts[index].language == paragraph.language {
                try writer.add(paragraph, to: &parts[index])
            }
        }
        progress(.init(stage: "reading \(path)", completed: reader.counts.documents, note: "documents"))
    }
    report.textCounts.append(reader.counts)
    report.parts += parts
}

private func nextPortion(_ reader: inout DocumentReader) throws -> [[UInt8]] {
    var documents: [[UInt8]] = []
    var size = 0
    while size < 8 << 20, let document = try reader.next() {
        size += document.count
        documents.append(document)
    }
    return documents
}
