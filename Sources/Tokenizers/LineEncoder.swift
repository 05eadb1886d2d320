import SeededRandom

/// How a text's pieces are written on a line.
public enum LineFormat: String, Sendable, CaseIterable {
    /// Ids, or pieces, with a space between them.
    case id, piece
    /// One object: `ids`, `pieces`, and the bytes of the line that each stands for, from `begin` to before `end`.
    case json
    /// The best segmentations, a line each.
    case nbestID = "nbest_id"
    case nbestPiece = "nbest_piece"
    /// One segmentation drawn at random.
    case sampleID = "sample_id"
    case samplePiece = "sample_piece"
}

/// Encodes line after line into one buffer of text, without asking for memory for each.
package final class LineEncoder {
    private let tokenizer: Tokenizer
    private let format: LineFormat
    private let options: EncodingOptions
    private let sampling: SamplingOptions
    private let scratch = EncodingScratch()
    @exclusivity(unchecked) private var text = Scratch<UInt8>(capacity: 1 << 16)

    /// - Parameter sampling: for the n-best and sampling formats.
    package init(
        _ tokenizer: Tokenizer, format: LineFormat, options: EncodingOptions = [],
        sampling: SamplingOptions = SamplingOptions()
    ) {
        self.tokenizer = tokenizer
        self.format = format
        self.options = options
        self.sampling = sampling
    }

    /// What was written since the last `clear`; valid until the next call.
    package var output: UnsafeRawBufferPointer { UnsafeRawBufferPointer(text.elements) }

    package func clear() {
        text.count = 0
    }

    /// Appends the lines for one line of input.
    ///
    /// - Parameter number: the line's number, which with the seed decides what is drawn for it.
    package func encode(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws(TokenizerError) {
        switch format {
        case .id where options.steps.isEmpty:
            tokenizer.encodeIDs(utf8: line, scratch)
            append(scratch.ids.elements)
        case .id: append(ids: tokenizer.encode(utf8: line, options: options))
        case .piece: append(pieces: tokenizer.encodePieces(utf8: line, options: options).map(\.text))
        case .json: appendJSON(tokenizer.encodeWithOffsets(utf8: line, options: options))
        case .nbestID, .nbestPiece:
            for best in try tokenizer.nbest(utf8: line, count: sampling.candidates, options: options) {
                append(best.pieces, asIDs: format == .nbestID)
            }
        case .sampleID, .samplePiece:
            var generator = SplitMix64(seed: sampling.seed, stream: number)
            let pieces = try tokenizer.sample(utf8: line, sampling, using: &generator, options: options)
            append(pieces, asIDs: format == .sampleID)
        }
    }

    private func append(_ pieces: [EncodedSpan], asIDs: Bool) {
        if asIDs { append(ids: pieces.map(\.id)) } else { append(pieces: pieces.map(\.piece)) }
    }

    private func append(ids: [PieceID]) {
        ids.map(\.rawValue).withUnsafeBufferPointer { append($0) }
    }

    /// Writes numbers with a space between them and a line feed after them.
    private func append(_ ids: UnsafeBufferPointer<Int32>) {
        // Ten digits and a space at most for each, and the line feed.
        text.reserve(text.count + 11 * ids.count + 1)
        let start = text.base + text.count
        var end = start
        for id in ids {
            end = writeDecimal(UInt32(bitPattern: id), to: end)
            end.pointee = 0x20
            end += 1
        }
        if end > start { end -= 1 }
        end.pointee = 0x0A
        text.count += end + 1 - start
    }

    private func append(pieces: [String]) {
        for (index, piece) in pieces.enumerated() {
            if index > 0 { text.append(0x20) }
            append(piece)
        }
        text.append(0x0A)
    }

    private func append(_ string: String) {
        for byte in string.utf8 { text.append(byte) }
    }

    private func appendJSON(_ pieces: [EncodedSpan]) {
        appendList("{\"ids\":[", pieces) { append(String($0.id.rawValue)) }
        appendList("],\"pieces\":[", pieces) { appendQuoted($0.piece) }
        appendList("],\"begin\":[", pieces) { append(String($0.range.lowerBound)) }
        appendList("],\"end\":[", pieces) { append(String($0.range.upperBound)) }
        append("]}\n")
    }

    private func appendList(_ opening: String, _ pieces: [EncodedSpan], _ item: (EncodedSpan) -> Void) {
        append(opening)
        for (index, piece) in pieces.enumerated() {
            if index > 0 { text.append(0x2C) }
            item(piece)
        }
    }

    private func appendQuoted(_ string: String) {
        text.append(0x22)
        for byte in string.utf8 {
            switch byte {
            case 0x22, 0x5C:
                text.append(0x5C)
                text.append(byte)
            case 0..<0x20, 0x7F:
                append(byte < 0x10 ? "\\u000" : "\\u00")
                append(String(byte, radix: 16))
            default: text.append(byte)
            }
        }
        text.append(0x22)
    }
}

/// Writes a number in decimal digits and returns where it ends; there must be room for ten digits.
@inline(__always)
private func writeDecimal(_ value: UInt32, to start: UnsafeMutablePointer<UInt8>) -> UnsafeMutablePointer<UInt8> {
    var digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10000 ? 4 : 5
    if value >= 100_000 {
        var bound: UInt64 = 100_000
        while UInt64(value) >= bound {
            digits += 1
            bound *= 10
        }
    }
    var rest = value
    var place = digits
    while place > 0 {
        place &-= 1
        let quotient = rest / 10
        start[place] = UInt8(truncatingIfNeeded: 0x30 &+ rest &- quotient &* 10)
        rest = quotient
    }
    return start + digits
}
