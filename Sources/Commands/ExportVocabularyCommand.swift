import ArgumentParser
import FileIO
import PieceModel

struct ExportVocabularyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export-vocab",
        abstract: "Lists the pieces of a model.",
        discussion: """
            A line for each piece, in the order of their ids: with its score, or with its id, as spm_export_vocab does.

            Example: kuoci export-vocab --model tokenizer.model --output tokenizer.vocab
            """)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
        case vocab, syms
    }

    @Option(help: "A SentencePiece .model file, or a directory that holds tokenizer.model.")
    var model: String

    @Option(help: "The file to write (default: standard output).")
    var output: String?

    @Option(help: "What stands after each piece: vocab, its score; syms, its id.")
    var outputFormat = OutputFormat.vocab

    func run() throws {
        let model = try SentencePieceModel(contentsOf: tokenizerPath(model))
        let output = try TextOutput(output)
        switch outputFormat {
        case .vocab: try output.write(model.vocabularyText())
        case .syms:
            try output.write(model.pieces.enumerated().map { "\($0.element.piece)\t\($0.offset)\n" }.joined())
        }
        try output.commit()
    }
}
