extension SentencePieceModel {
    /// Pieces of this many bytes or more are refused, as sentencepiece does.
    static let longestPiece = 8000

    /// Checks what sentencepiece 0.2.3 checks when it loads a model, and that scores are finite.
    public func validate() throws(PieceModelError) {
        if proto.pieces.isEmpty { throw .noPieces(path: path) }
        var seen = ByteStringTable(minimumCapacity: proto.pieces.count)
        var seenReserved = ByteStringTable()
        let sharesNames = proto.trainerSpec.modelType == .bpe
        var unknownCount = 0
        var bytes: Set<UInt8> = []
        for (index, piece) in proto.pieces.enumerated() {
            if isPlaceholder(piece) { continue }
            if let reason = fault(of: piece) { throw .badPiece(path: path, index: index, reason: reason) }
            // Control, unknown and byte pieces have names of their own, but for BPE models, where all share one map.
            let isReserved = piece.type == .control || piece.type == .unknown || piece.type == .byte
            let isNew =
                isReserved && !sharesNames
                ? seenReserved.insert(piece.piece.utf8).inserted : seen.insert(piece.piece.utf8).inserted
            if !isNew {
                throw .badPiece(path: path, index: index, reason: "(\(shown(piece))) is there twice")
            }
            if piece.type == .unknown { unknownCount += 1 }
            if unknownCount > 1 {
                throw .badPiece(path: path, index: index, reason: "(\(shown(piece))) is a second unknown piece")
            }
            if piece.type == .byte { try insertByte(of: piece, at: index, into: &bytes) }
        }
        if unknownCount == 0, !hasByteFallback { throw .noUnknownPiece(path: path) }
        if hasByteFallback, bytes.count != 256 { throw .missingBytePieces(path: path, found: bytes.count) }
    }

    /// A lone NUL stands for nothing if it is unused, or if NUL has a byte piece; sentencepiece skips it.
    package func isPlaceholder(_ piece: Piece) -> Bool {
        piece.piece.utf8.elementsEqual([0]) && (piece.type == .unused || hasByteFallback)
    }

    private func fault(of piece: Piece) -> String? {
        if piece.piece.isEmpty { return "is empty" }
        if piece.piece.utf8.count >= Self.longestPiece { return "is longer than \(Self.longestPiece - 1) bytes" }
        if piece.piece.utf8.contains(0) { return "holds a NUL character" }
        if !piece.score.isFinite { return "has the score \(piece.score), which is not finite" }
        return nil
    }

    /// A piece in quotes for a message of one line: control characters escaped, cut after 40 characters.
    private func shown(_ piece: Piece) -> String {
        let escaped = piece.piece.prefix(40).unicodeScalars.map {
            $0.value < 0x20 ? $0.escaped(asASCII: true) : "\($0)"
        }
        return "\"" + escaped.joined() + (piece.piece.count > 40 ? "…" : "") + "\""
    }

    private func insertByte(of piece: Piece, at index: Int, into bytes: inout Set<UInt8>) throws(PieceModelError) {
        guard hasByteFallback else {
            throw .badPiece(path: path, index: index, reason: "(\(shown(piece))) is a byte piece without byte_fallback")
        }
        guard let byte = byteValue(ofPiece: piece.piece) else {
            throw .badPiece(path: path, index: index, reason: "(\(shown(piece))) is not one of <0x00> to <0xFF>")
        }
        bytes.insert(byte)
    }
}

/// The byte that a piece such as `<0x0A>` stands for.
public func byteValue(ofPiece piece: String) -> UInt8? {
    let text = Array(piece.utf8)
    guard text.count == 6, piece.hasPrefix("<0x"), piece.hasSuffix(">") else { return nil }
    let digits = piece.dropFirst(3).dropLast()
    guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x41...0x46).contains($0) }) else { return nil }
    return UInt8(digits, radix: 16)
}

/// The piece for a byte, such as `<0x0A>`.
public func piece(forByte byte: UInt8) -> String {
    let digits = String(byte, radix: 16, uppercase: true)
    return "<0x" + (digits.count < 2 ? "0" : "") + digits + ">"
}
