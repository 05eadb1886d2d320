import ArgumentParser
import FileIO
import Tokenizers

struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Turns lines of text into ids or pieces.",
        discussion: """
            One line of output for each line of input, items joined by a space, as spm_encode does.

            Example: echo '人工智能是计算机科学' | kuoci encode --model out/merged/tokenizer.model
            """)

    enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
        case id, piece
    }

    @Option(help: "A SentencePiece .model file, or a directory that holds tokenizer.model.")
    var model: String

    @Option(help: "What to print: id or piece.")
    var outputFormat = OutputFormat.id

    @OptionGroup var files: TextFileOptions

    func run() throws {
        let tokenizer = try Tokenizer(contentsOf: tokenizerPath(model))
        try files.mapLines { line in
            switch outputFormat {
            case .id:
                Array(tokenizer.encode(utf8: line).map { String($0.rawValue) }.joined(separator: " ").utf8)
            case .piece:
                Array(tokenizer.encodePieces(utf8: line).map(\.text).joined(separator: " ").utf8)
            }
        }
    }
}
