import PieceModel

/// The pieces that are not learned, by id: unknown, control, user-defined and byte pieces.
struct SpecialPieces {
    typealias PieceType = SentencePieceModel.Piece.TypeEnum
    private(set) var byID: [Int: (piece: String, type: PieceType)] = [:]

    private static let space = "\u{2581}"

    var count: Int { byID.count }

    init(_ specification: Sentencepiece_TrainerSpec) throws(TrainingError) {
        try reserve(specification)
        var symbols = ByteStringTable()
        var next = 0
        for piece in specification.controlSymbols { try add(piece, .control, specification, &symbols, &next) }
        for piece in specification.userDefinedSymbols {
            try add(piece, .userDefined, specification, &symbols, &next)
            // The words of a word model begin with their space.
            if specification.modelType == .word, !piece.utf8.starts(with: Self.space.utf8) {
                try add(Self.space + piece, .userDefined, specification, &symbols, &next)
            }
        }
        if specification.byteFallback {
            for byte in UInt8.min...UInt8.max {
                try add(PieceModel.piece(forByte: byte), .byte, specification, &symbols, &next)
            }
        }
    }

    /// The pieces of a model that were not learned.
    init(of model: SentencePieceModel) {
        for (id, piece) in model.pieces.enumerated() where piece.type != .normal && piece.type != .unused {
            byID[id] = (piece.piece, piece.type)
        }
    }

    /// The pieces whose ids are asked for: unk, bos, eos, pad.
    private mutating func reserve(_ specification: Sentencepiece_TrainerSpec) throws(TrainingError) {
        let wanted = [
            ("unk_id", specification.unkID, specification.unkPiece),
            ("bos_id", specification.bosID, specification.bosPiece),
            ("eos_id", specification.eosID, specification.eosPiece),
            ("pad_id", specification.padID, specification.padPiece),
        ]
        for (flag, id, piece) in wanted where id >= 0 {
            if piece.isEmpty { throw .badSpecification(flag: flag, reason: "its piece is empty; give it a text") }
            if id >= specification.vocabSize {
                throw .badSpecification(flag: flag, reason: "\(id) is not below --vocab-size; choose a smaller id")
            }
            if let other = byID[Int(id)] {
                throw .badSpecification(flag: flag, reason: "\(id) is the id of \(other.piece) already; choose another")
            }
            let isUnknown = piece == specification.unkPiece
            if isUnknown, byID.values.contains(where: { $0.piece == piece }) {
                throw .badSpecification(flag: flag, reason: "\(piece) is used twice; give each id its own piece")
            }
            byID[Int(id)] = (piece, isUnknown ? .unknown : .control)
        }
        if !specification.byteFallback, !byID.values.contains(where: { $0.type == .unknown }) {
            throw .badSpecification(flag: "unk_id", reason: "an unknown piece is needed; give it an id of 0 or more")
        }
    }

    private mutating func add(
        _ piece: String, _ type: PieceType, _ specification: Sentencepiece_TrainerSpec,
        _ symbols: inout ByteStringTable,
        _ next: inout Int
    ) throws(TrainingError) {
        if piece.isEmpty { throw .badSymbol(piece: piece, reason: "is empty; leave it out") }
        if !symbols.insert(piece.utf8).inserted {
            throw .badSymbol(piece: piece, reason: "is given twice; name it once")
        }
        if piece == specification.unkPiece {
            throw .badSymbol(piece: piece, reason: "is the unknown piece; leave it out of the symbols")
        }
        let reserved = [
            (specification.bosID, specification.bosPiece), (specification.eosID, specification.eosPiece),
            (specification.padID, specification.padPiece),
        ]
        // A reserved piece that is named again keeps its id and changes its type.
        for (id, name) in reserved where id >= 0 && name == piece {
            byID[Int(id)]?.type = type
            return
        }
        while byID[next] != nil { next += 1 }
        byID[next] = (piece, type)
    }
}
