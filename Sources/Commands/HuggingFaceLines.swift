import FileIO
import TokenizerFormats
import Tokenizers

/// Lines of text as ids by a tokenizer.json.
final class HuggingFaceEncodingWorker: LineWorker {
    private let tokenizer: HuggingFaceTokenizer
    private var output: [UInt8] = []

    init(_ tokenizer: HuggingFaceTokenizer) {
        self.tokenizer = tokenizer
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
        let ids = tokenizer.encode(utf8: line)
        output += ids.map { "\($0)" }.joined(separator: " ").utf8
        output.append(0x0A)
    }

    func flush(to output: TextOutput) throws {
        try self.output.withUnsafeBytes { try output.write($0) }
        self.output.removeAll(keepingCapacity: true)
    }
}

/// Lines of ids as text by a tokenizer.json.
final class HuggingFaceDecodingWorker: LineWorker {
    private let tokenizer: HuggingFaceTokenizer
    private var output: [UInt8] = []

    init(_ tokenizer: HuggingFaceTokenizer) {
        self.tokenizer = tokenizer
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
        let ids = try line.split(separator: 0x20).map { item in
            let text = String(decoding: item, as: UTF8.self)
            guard let id = Int32(text) else { throw CommandError.notAnID(text: text, line: number) }
            return PieceID(rawValue: id)
        }
        output += try tokenizer.decode(ids).utf8
        output.append(0x0A)
    }

    func flush(to output: TextOutput) throws {
        try self.output.withUnsafeBytes { try output.write($0) }
        self.output.removeAll(keepingCapacity: true)
    }
}
