import ArgumentParser
import FileIO
import Foundation
import TokenizerFormats
import Tokenizers

struct DecodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decode",
        abstract: "Turns lines of ids or pieces back into text.",
        discussion: """
            One line of output for each line of input; items are separated by spaces, as spm_decode takes them.

            Example: echo '29871 30313 31041' | kuoci decode --model tokenizer.model --input-format id
            """)

    enum InputFormat: String, ExpressibleByArgument, CaseIterable {
        case piece, id
    }

    @Option(help: "A SentencePiece .model file, a directory that holds tokenizer.model, or a tokenizer.json.")
    var model: String

    @Option(help: "What is read: piece or id.")
    var inputFormat = InputFormat.piece

    @Option(help: "What to do to each line's items first, in order and joined by colons: bos, eos, reverse, unk_piece.")
    var extraOptions = ""

    @OptionGroup var files: LineFileOptions

    func validate() throws {
        if model.hasSuffix(".json"), inputFormat != .id || !extraOptions.isEmpty {
            throw ValidationError("a tokenizer.json takes ids only: add --input-format id and no other option")
        }
    }

    func run() throws {
        if model.hasSuffix(".json") {
            let tokenizer = try HuggingFaceTokenizer(contentsOf: model)
            return try files.process { HuggingFaceDecodingWorker(tokenizer) }
        }
        let tokenizer = try Tokenizer(contentsOf: tokenizerPath(model))
        let options = try EncodingOptions(extraOptions, for: tokenizer)
        // `<s>`, `</s>` and a name for what is unknown leave no trace in the text: only the order counts.
        let isReversed = options.steps.count { $0 == .reverse } % 2 == 1
        try files.process { DecodingWorker(tokenizer, inputFormat, isReversed: isReversed) }
    }
}

private final class DecodingWorker: LineWorker {
    private let tokenizer: Tokenizer
    private let format: DecodeCommand.InputFormat
    private let isReversed: Bool
    private var text: [UInt8] = []
    private var ids: [PieceID] = []

    init(_ tokenizer: Tokenizer, _ format: DecodeCommand.InputFormat, isReversed: Bool) {
        self.tokenizer = tokenizer
        self.format = format
        self.isReversed = isReversed
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
        switch format {
        case .piece:
            // An empty item is an unknown piece without text; it ends a run of byte pieces, as in spm_decode.
            var pieces = line.split(separator: 0x20, omittingEmptySubsequences: false).map { ArraySlice($0) }
            if isReversed { pieces.reverse() }
            text.append(contentsOf: tokenizer.decodeUTF8(pieces: pieces))
        case .id:
            try readIDs(line, number: number)
            text.append(contentsOf: try tokenizer.decodeUTF8(ids))
        }
        text.append(0x0A)
    }

    private func readIDs(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
        ids.removeAll(keepingCapacity: true)
        for item in line.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            guard let id = Int32(String(decoding: item, as: UTF8.self)) else {
                throw CommandError.notAnID(text: String(decoding: item, as: UTF8.self), line: number)
            }
            ids.append(PieceID(rawValue: id))
        }
        if isReversed { ids.reverse() }
    }

    func flush(to output: TextOutput) throws {
        try text.withUnsafeBytes { try output.write($0) }
        text.removeAll(keepingCapacity: true)
    }
}
