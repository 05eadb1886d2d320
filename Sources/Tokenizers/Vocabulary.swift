public import PieceModel

/// The pieces of a model, ready for look-ups by id and by bytes.
public struct Vocabulary: Sendable {
    public typealias PieceType = SentencePieceModel.Piece.TypeEnum

    private let texts: ByteStringTable
    /// For each id the number of its text in `texts` (two ids may share a text in a unigram model).
    private let textOfID: [Int32]
    /// For each text the id that it is looked up as; negative if none.
    private let idOfText: [Int32]
    package let scores: [Float]
    package let types: [PieceType]
    /// The id of unknown text; nil only in a model with byte fallback and no <unk>.
    public let unknownID: PieceID?
    /// With byte fallback the id of each byte's piece, otherwise empty.
    package let byteIDs: [PieceID]

    public init(_ model: SentencePieceModel) {
        let pieces = model.pieces
        var texts = ByteStringTable(minimumCapacity: pieces.count)
        var textOfID: [Int32] = []
        var idOfText: [Int32] = []
        for (id, piece) in pieces.enumerated() {
            let (text, inserted) = texts.insert(piece.piece.utf8)
            textOfID.append(Int32(text))
            // Reserved pieces are found before ordinary ones of the same text.
            if inserted {
                idOfText.append(Int32(id))
            } else if piece.type.isReserved {
                idOfText[text] = Int32(id)
            }
        }
        self.texts = texts
        self.textOfID = textOfID
        self.idOfText = idOfText
        scores = pieces.map(\.score)
        types = pieces.map(\.type)
        unknownID = types.firstIndex(of: .unknown).map { PieceID($0) }
        if model.hasByteFallback {
            var bytes = [PieceID](repeating: 0, count: 256)
            for (id, piece) in pieces.enumerated() where piece.type == .byte {
                if let byte = byteValue(ofPiece: piece.piece) { bytes[Int(byte)] = PieceID(id) }
            }
            byteIDs = bytes
        } else {
            byteIDs = []
        }
    }

    public var count: Int { textOfID.count }

    public func contains(_ id: PieceID) -> Bool {
        id.rawValue >= 0 && id.rawValue < count
    }

    /// The bytes of a piece, which must exist.
    public func bytes(of id: PieceID) -> ArraySlice<UInt8> {
        texts[Int(textOfID[Int(id.rawValue)])]
    }

    public func text(of id: PieceID) -> String {
        String(decoding: bytes(of: id), as: UTF8.self)
    }

    public func type(of id: PieceID) -> PieceType {
        types[Int(id.rawValue)]
    }

    public func score(of id: PieceID) -> Float {
        scores[Int(id.rawValue)]
    }

    /// The id of a piece by its bytes; nil if there is no such piece.
    public func id(of bytes: some Collection<UInt8>) -> PieceID? {
        texts.index(of: bytes).map { PieceID(rawValue: idOfText[$0]) }
    }

    package func id(of bytes: UnsafeBufferPointer<UInt8>) -> PieceID? {
        texts.index(of: bytes).map { PieceID(rawValue: idOfText[$0]) }
    }

    public func id(of text: String) -> PieceID? {
        id(of: text.utf8)
    }

    /// Pieces that segmentation may give for text: normal and user-defined ones, and unused ones on the way.
    func isSegmentable(_ id: PieceID) -> Bool {
        !type(of: id).isReserved
    }

    var userDefined: [PieceID] {
        types.indices.filter { types[$0] == .userDefined }.map { PieceID($0) }
    }
}

extension SentencePieceModel.Piece.TypeEnum {
    var isReserved: Bool {
        self == .control || self == .unknown || self == .byte
    }
}
