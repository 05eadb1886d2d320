import ArgumentParser
import FileIO
import Foundation
import OrderedJSON
import Provenance
import TokenizerFormats
import Tokenizers

/// `kuoci convert`: a vocabulary in another format.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Writes a tokenizer in another format.",
        discussion: """
            Reads .model (SentencePiece), .json (Hugging Face's tokenizer.json), .gguf (with or without tensors) or a \
            directory; writes .model, .json, .gguf (vocabulary only), .vocab (text) or, for any other name, a directory \
            for transformers. Says on how many lines of --check-text, or of a built-in probe made of the tokenizer's own \
            pieces, the new file gives other ids than the old one.

            Example: kuoci convert --from out/zh.model --to out/tokenizer.json --check-text corpora/sample.zh.txt
            """)

    @Option(help: "The tokenizer to read.")
    var from: String

    @Option(help: "What to write; the ending says in which format.")
    var to: String

    @Option(parsing: .upToNextOption, help: "Texts on whose lines old and new are compared (default: the probe).")
    var checkText: [String] = []

    @Flag(help: "Replace what is there already.")
    var force = false

    func run() throws {
        if !force { try refuseExisting(to) }
        let source = try TokenizerFile(contentsOf: from)
        let format = TokenizerFileFormat(path: to)
        let comparison: FormatComparison?
        if format == .directory {
            let directory = try OutputDirectory(to, replacing: force)
            try TokenizerDirectory(source.tokenizer).write(to: directory.stagingPath)
            let written = try readFile(directory.stagingPath + "/tokenizer.json")
            comparison = try source.comparison(with: written, as: .directory, onLinesOf: checkText)
            try manifest(source, comparison).write(to: directory.stagingPath)
            try directory.commit()
        } else {
            let name = URL(fileURLWithPath: to).deletingPathExtension().lastPathComponent
            let written = try source.contents(as: format, name: name)
            comparison = try source.comparison(with: written, as: format, onLinesOf: checkText)
            try writeFile(to, written, replacing: force)
        }
        for difference in source.differences { printDiagnostic("kuoci: \(source.path): \(difference)") }
        print("\(to): \(source.tokenizer.count) entries" + (comparison.map { "; " + $0.text(of: checkText) } ?? ""))
    }

    private func manifest(_ source: TokenizerFile, _ comparison: FormatComparison?) -> Manifest {
        Manifest(
            options: ["from": .string(from), "to": .string(to), "check_text": .strings(checkText)],
            inputs: [source.path] + checkText,
            results: [
                "entries": .integer(source.tokenizer.count), "lines": comparison.map { .integer($0.lines) } ?? .null,
                "differing_lines": comparison.map { .integer($0.differing) } ?? .null,
            ])
    }
}

extension FormatComparison {
    /// Such as `12 of 300 lines of zh.txt get other ids`.
    func text(of paths: [String]) -> String {
        "\(differing) of \(lines) lines of \(paths.isEmpty ? "the probe" : paths.joined(separator: ", ")) get other ids"
    }
}
