/// A piece as a user sees it, in places of the normalized text.
struct FinalPiece {
    var id: Int32
    /// The bytes that are the piece's text; of a fallback byte that byte.
    var text: Range<Int>
    /// The bytes that the piece covers: nothing for all but the last byte of an unknown character.
    var span: Range<Int>
    var isUnknown: Bool
    var isFallback: Bool
}

extension Tokenizer {
    /// Calls `body` for each piece of the scratch: an unknown character as its bytes, or a run of them as one.
    func forEachPiece(of scratch: EncodingScratch, _ body: (FinalPiece) -> Void) {
        let unknown = vocabulary.unknownID?.rawValue ?? -1
        var run: Range<Int>?
        func endRun() {
            guard let range = run else { return }
            body(FinalPiece(id: unknown, text: range, span: range, isUnknown: true, isFallback: false))
            run = nil
        }
        let text = scratch.text.elements
        var start = 0
        for (id, end) in zip(scratch.ids.elements, scratch.ends.elements) {
            let range = start..<Int(end)
            if id != unknown {
                endRun()
                body(FinalPiece(id: id, text: range, span: range, isUnknown: false, isFallback: false))
            } else if vocabulary.byteIDs.isEmpty {
                run = (run?.lowerBound ?? start)..<range.upperBound
            } else {
                spell(text, range, body)
            }
            start = range.upperBound
        }
        endRun()
    }

    private func spell(_ text: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (FinalPiece) -> Void) {
        for index in range {
            let isLast = index + 1 == range.upperBound
            body(
                FinalPiece(
                    id: vocabulary.byteIDs[Int(text[index])].rawValue, text: index..<index + 1,
                    span: isLast ? range : range.lowerBound..<range.lowerBound, isUnknown: false, isFallback: true))
        }
    }

    /// The pieces of the scratch as strings, with the input's bytes if the scratch has offsets.
    func pieces(of scratch: EncodingScratch, _ options: EncodingOptions) -> [EncodedSpan] {
        var pieces: [EncodedSpan] = []
        pieces.reserveCapacity(scratch.ids.count)
        let name = options.namesUnknown ? unknownPiece : nil
        let text = scratch.text.elements
        let offsets = scratch.offsets.elements
        forEachPiece(of: scratch) { piece in
            let id = PieceID(rawValue: piece.id)
            let string =
                if piece.isFallback {
                    vocabulary.text(of: id)
                } else if piece.isUnknown, let name {
                    name
                } else {
                    String(decoding: UnsafeBufferPointer(rebasing: text[piece.text]), as: UTF8.self)
                }
            let range =
                offsets.isEmpty
                ? 0..<0 : Int(offsets[piece.span.lowerBound])..<Int(offsets[piece.span.upperBound])
            pieces.append(EncodedSpan(id: id, piece: string, range: range))
        }
        return pieces
    }
}
