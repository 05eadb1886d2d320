import ArgumentParser
import FileIO
import Tokenizers

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Turns lines of ids or pieces back into text.",
        discussion: """
            One line of output for each line of input; items are separated by spaces, as spm_decode takes them.

            Example: echo '29871 30313 31041' | kuoci decode --model tokenizer.model
            """)

    enum InputFormat: String, ExpressibleByArgument, CaseIterable {
        case id, piece
    }

    @Option(help: "A SentencePiece .model file, or a directory that holds tokenizer.model.")
    var model: String

    @Option(help: "What is read: id or piece.")
    var inputFormat = InputFormat.id

    @OptionGroup var files: TextFileOptions

    func run() throws {
        let tokenizer = try Tokenizer(contentsOf: tokenizerPath(model))
        var number = 0
        try files.mapLines { line in
            number += 1
            let items = line.split(separator: 0x20).map { String(decoding: $0, as: UTF8.self) }
            if inputFormat == .piece { return Array(tokenizer.decode(pieces: items).utf8) }
            let ids = try items.map { item in
                guard let id = Int32(item) else { throw CommandError.notAnID(text: item, line: number) }
                return PieceID(rawValue: id)
            }
            return Array(try tokenizer.decode(ids).utf8)
        }
    }
}
