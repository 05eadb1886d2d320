/// A piece of a text: its id and the text that it stands for after normalization.
public struct EncodedPiece: Sendable, Equatable {
    public var id: PieceID
    public var text: String
}

extension Tokenizer {
    /// The ids of a text, without `<s>` and `</s>`.
    public func encode(_ text: String) -> [PieceID] {
        var text = text
        return text.withUTF8 { encode(utf8: $0) }
    }

    /// The ids of a text given as bytes; what is not UTF-8 in them counts as U+FFFD, byte by byte.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>) -> [PieceID] {
        var ids: [PieceID] = []
        ids.reserveCapacity(bytes.count / 3 + 2)
        forEachPiece(of: normalizer.normalize(bytes)) { id, _, _ in ids.append(id) }
        return ids
    }

    public func encode(utf8 bytes: UnsafeRawBufferPointer) -> [PieceID] {
        encode(utf8: bytes.assumingMemoryBound(to: UInt8.self))
    }

    /// The pieces of a text as strings; an unknown run is one piece, a byte piece looks like `<0x0A>`.
    public func encodePieces(_ text: String) -> [EncodedPiece] {
        var text = text
        return text.withUTF8 { encodePieces(utf8: $0) }
    }

    public func encodePieces(utf8 bytes: UnsafeBufferPointer<UInt8>) -> [EncodedPiece] {
        let normalized = normalizer.normalize(bytes)
        var pieces: [EncodedPiece] = []
        forEachPiece(of: normalized) { id, range, isFallback in
            let text = isFallback ? vocabulary.text(of: id) : String(decoding: normalized[range], as: UTF8.self)
            pieces.append(EncodedPiece(id: id, text: text))
        }
        return pieces
    }

    /// Calls `body` for each piece with its id, its range in the normalized text, and whether it is a fallback byte.
    private func forEachPiece(of normalized: [UInt8], _ body: (PieceID, Range<Int>, Bool) -> Void) {
        let unknown = vocabulary.unknownID?.rawValue ?? -1
        let fallback = vocabulary.byteIDs
        var unknownRun: Range<Int>?
        func endRun() {
            if let run = unknownRun { body(PieceID(rawValue: unknown), run, false) }
            unknownRun = nil
        }
        normalized.withUnsafeBufferPointer { text in
            segment(text) { id, range in
                if id != unknown {
                    endRun()
                    body(PieceID(rawValue: id), range, false)
                } else if fallback.isEmpty {
                    unknownRun = (unknownRun?.lowerBound ?? range.lowerBound)..<range.upperBound
                } else {
                    for index in range { body(fallback[Int(text[index])], index..<index + 1, true) }
                }
            }
        }
        endRun()
    }

    private func segment(_ text: UnsafeBufferPointer<UInt8>, _ body: (Int32, Range<Int>) -> Void) {
        switch segmenter {
        case .bpe(let segmenter): segmenter.segment(text, body)
        case .unigram(let segmenter): segmenter.segment(text, body)
        }
    }
}
