/// A piece of a text: its id and the text that it stands for after normalization.
public struct EncodedPiece: Sendable, Equatable {
    public var id: PieceID
    public var text: String
}

/// A piece and where it stands in the text that was given.
public struct EncodedSpan: Sendable, Equatable {
    public var id: PieceID
    /// The piece as the vocabulary or the normalized text has it.
    public var piece: String
    /// The bytes of the input that the piece stands for; empty for what has no counterpart there, such as `<s>` and all
    /// but the last byte of a character that is spelt in bytes.
    public var range: Range<Int>
}

extension Tokenizer {
    /// The ids of a text; without options, no `<s>` and no `</s>`.
    public func encode(_ text: String, options: EncodingOptions = []) -> [PieceID] {
        var text = text
        return text.withUTF8 { encode(utf8: $0, options: options) }
    }

    /// The ids of a text given as bytes; what is not UTF-8 in them counts as U+FFFD, byte by byte.
    public func encode(utf8 bytes: UnsafeBufferPointer<UInt8>, options: EncodingOptions = []) -> [PieceID] {
        scratches.withScratch { scratch in
            encodeIDs(utf8: bytes, scratch)
            let ids = scratch.ids.elements.map { PieceID(rawValue: $0) }
            return options.steps.isEmpty ? ids : apply(options, to: ids)
        }
    }

    public func encode(utf8 bytes: UnsafeRawBufferPointer, options: EncodingOptions = []) -> [PieceID] {
        encode(utf8: bytes.assumingMemoryBound(to: UInt8.self), options: options)
    }

    /// The pieces of a text as strings; an unknown run is one piece, a byte piece looks like `<0x0A>`.
    public func encodePieces(_ text: String, options: EncodingOptions = []) -> [EncodedPiece] {
        var text = text
        return text.withUTF8 { encodePieces(utf8: $0, options: options) }
    }

    public func encodePieces(
        utf8 bytes: UnsafeBufferPointer<UInt8>, options: EncodingOptions = []
    ) -> [EncodedPiece] {
        scratches.withScratch { scratch in
            segment(utf8: bytes, scratch)
            return apply(options, to: pieces(of: scratch, options), inputLength: bytes.count)
                .map { EncodedPiece(id: $0.id, text: $0.piece) }
        }
    }

    /// The pieces of a text, each with the bytes of the text that it stands for.
    public func encodeWithOffsets(_ text: String, options: EncodingOptions = []) -> [EncodedSpan] {
        var text = text
        return text.withUTF8 { encodeWithOffsets(utf8: $0, options: options) }
    }

    public func encodeWithOffsets(
        utf8 bytes: UnsafeBufferPointer<UInt8>, options: EncodingOptions = []
    ) -> [EncodedSpan] {
        scratches.withScratch { scratch in
            normalizer.normalizeWithOffsets(bytes, into: scratch)
            segmentText(scratch)
            return apply(options, to: pieces(of: scratch, options), inputLength: bytes.count)
        }
    }

    /// Finds the pieces of a text: `scratch.ids` and `scratch.ends`, with unknown characters as they were met.
    func segment(utf8 bytes: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch) {
        if case .bpe(let segmenter) = segmenter, normalizer.onlyMarksSpaces, segmenter.userDefined == nil {
            normalizer.normalizeAndSplit(bytes, into: scratch, segmenter.characters)
            segmenter.segmentSymbols(scratch)
        } else {
            normalizer.normalize(bytes, into: scratch)
            segmentText(scratch)
        }
    }

    /// Finds the pieces of the scratch's text.
    func segmentText(_ scratch: EncodingScratch) {
        if scratch.text.count == 0 {
            scratch.ids.count = 0
            scratch.ends.count = 0
            scratch.hasUnknown = false
            return
        }
        switch segmenter {
        case .bpe(let segmenter): segmenter.segment(scratch)
        case .unigram(let segmenter): segmenter.segment(scratch)
        case .character(let segmenter): segmenter.segment(scratch)
        case .word(let segmenter): segmenter.segment(scratch)
        }
    }

    /// Makes `scratch.ids` the ids of a text: unknown characters spelt in bytes, or one id for each run of them.
    func encodeIDs(utf8 bytes: UnsafeBufferPointer<UInt8>, _ scratch: EncodingScratch) {
        segment(utf8: bytes, scratch)
        finishIDs(scratch)
    }

    /// Replaces unknown ids as a user sees them; `scratch.ends` no longer belongs to `scratch.ids` then.
    func finishIDs(_ scratch: EncodingScratch) {
        if !scratch.hasUnknown { return }
        var ids: [Int32] = []
        ids.reserveCapacity(scratch.ids.count * 2)
        forEachPiece(of: scratch) { piece in ids.append(piece.id) }
        scratch.ids.count = 0
        scratch.ids.reserve(ids.count)
        for id in ids { scratch.ids.append(id) }
    }

    private func apply(_ options: EncodingOptions, to ids: [PieceID]) -> [PieceID] {
        var ids = ids
        for step in options.steps {
            switch step {
            case .begin: if let id = beginID { ids.insert(id, at: 0) }
            case .end: if let id = endID { ids.append(id) }
            case .reverse: ids.reverse()
            case .nameUnknown: break
            }
        }
        return ids
    }

    func apply(_ options: EncodingOptions, to pieces: [EncodedSpan], inputLength: Int) -> [EncodedSpan] {
        var pieces = pieces
        func span(_ id: PieceID, _ place: Int) -> EncodedSpan {
            EncodedSpan(id: id, piece: vocabulary.text(of: id), range: place..<place)
        }
        for step in options.steps {
            switch step {
            case .begin: if let id = beginID { pieces.insert(span(id, 0), at: 0) }
            case .end: if let id = endID { pieces.append(span(id, inputLength)) }
            case .reverse: pieces.reverse()
            case .nameUnknown: break
            }
        }
        return pieces
    }
}
