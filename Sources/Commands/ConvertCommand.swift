import ArgumentParser
import FileIO
import Foundation
import ModelConversion
import OrderedJSON
import Provenance
import TokenizerFormats
import Tokenizers

/// `kuoci convert`: a vocabulary, or a model, in another format.
struct ConvertCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "convert",
        abstract: "Writes a tokenizer or a model in another format.",
        discussion: """
            A checkpoint's directory becomes one .gguf file for llama.cpp, with its vocabulary, and such a file a \
            checkpoint's directory. Matrices are rounded to --type; norms and biases stay f32, and in q4_0 the LM head \
            is q8_0. Blocks of q8_0, q4_0 and q6_K are read as numbers again. --vocab-only leaves the tensors out.

            Of a tokenizer it \
            reads .model (SentencePiece), .json (Hugging Face's tokenizer.json), .gguf (with or without tensors) or a \
            directory; writes .model, .json, .gguf (vocabulary only), .vocab (text) or, for any other name, a directory \
            for transformers. Of a model, .gguf and a directory need --vocab-only for that. Says on how many lines of \
            --check-text, or of a built-in probe made of the tokenizer's own pieces, the new file gives other ids than \
            the old one.

            Example: kuoci convert --from out/export --to out/export.gguf --type q8_0
            """)

    @Option(help: "The tokenizer, checkpoint or GGUF file to read.")
    var from: String

    @Option(help: "What to write; the ending says in which format.")
    var to: String

    @Option(parsing: .upToNextOption, help: "Texts on whose lines old and new are compared (default: the probe).")
    var checkText: [String] = []

    @Option(
        help: """
            Of a model: how its matrices are kept, \(GGUFModelType.allCases.map(\.rawValue).joined(separator: ", ")) \
            (default: as they are; f32 for what was quantized).
            """)
    var type: GGUFModelType?

    @Flag(help: "Of a model, write the vocabulary alone.")
    var vocabOnly = false

    @Flag(help: "Replace what is there already.")
    var force = false

    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if vocabOnly, type != nil {
            throw ValidationError("--type is for a model's matrices, which --vocab-only leaves out: give one of them")
        }
        let ending = (to as NSString).pathExtension
        if ["safetensors", "bin"].contains(ending.lowercased()) {
            throw ValidationError(
                "--to \(to): no such file is written, and a directory had better not end in .\(ending); "
                    + "name a directory, or a file that ends in .gguf, .model, .json or .vocab")
        }
    }

    func run() throws {
        try requireInputs([from] + checkText, outside: to)
        if TokenizerFileFormat(path: to) == .directory {
            try requireReplaceable(to, force: force)
        } else if !force {
            try refuseExisting(to)
        }
        if !vocabOnly, try convertModel() { return }
        if type != nil {
            throw ValidationError("--type is for a model's matrices, and \(from) as \(to) is a vocabulary alone")
        }
        try convertVocabulary()
    }

    private func convertVocabulary() throws {
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
            try makeDirectory(containing: to)
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
