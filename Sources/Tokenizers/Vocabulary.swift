public import PieceModel

/// The pieces of a model, ready for look-ups by id and by bytes.
public struct Vocabulary: Sendable {
    public typealias PieceType = SentencePieceModel.Piece.TypeEnum

    private let texts: ByteStringTable
    /// For each id the number of its text in `texts` (two ids may share a text in a unigram model).
    private let textOfID: [Int32]
    /// For each text the id that it is looked up as, and the id of the piece that text can become; negative: none.
    private let idOfText: [Int32]
    private let segmentableIDOfText: [Int32]
    package let scores: [Float]
    package let types: [PieceType]
    /// The id of unknown text; nil only in a model with byte fallback and no <unk>.
    public let unknownID: PieceID?
    /// With byte fallback the id of each byte's piece, otherwise empty.
    package let byteIDs: [PieceID]

    public init(_ model: SentencePieceModel) {
        let pieces = model.pieces
        var index = TextIndex(capacity: pieces.count)
        var types: [PieceType] = []
        types.reserveCapacity(pieces.count)
        for piece in pieces {
            let isPlaceholder = model.isPlaceholder(piece)
            types.append(isPlaceholder ? .unused : piece.type)
            index.append(piece.piece, isReserved: piece.type.isReserved, isFound: !isPlaceholder)
        }
        (texts, textOfID) = (index.texts, index.textOfID)
        (idOfText, segmentableIDOfText) = (index.idOfText, index.segmentableIDOfText)
        self.types = types
        scores = pieces.map(\.score)
        unknownID = types.firstIndex(of: .unknown).map { PieceID($0) }
        byteIDs = model.hasByteFallback ? Self.byteIDs(pieces) : []
    }

    private static func byteIDs(_ pieces: [SentencePieceModel.Piece]) -> [PieceID] {
        var ids = [PieceID](repeating: 0, count: 256)
        for (id, piece) in pieces.enumerated() where piece.type == .byte {
            if let byte = byteValue(ofPiece: piece.piece) { ids[Int(byte)] = PieceID(id) }
        }
        return ids
    }

    /// Collects the texts of the pieces and what each is looked up as.
    private struct TextIndex {
        var texts: ByteStringTable
        var textOfID: [Int32] = []
        var idOfText: [Int32] = []
        var segmentableIDOfText: [Int32] = []

        init(capacity: Int) {
            texts = ByteStringTable(minimumCapacity: capacity)
            textOfID.reserveCapacity(capacity)
            idOfText.reserveCapacity(capacity)
            segmentableIDOfText.reserveCapacity(capacity)
        }

        mutating func append(_ piece: String, isReserved: Bool, isFound: Bool) {
            let id = Int32(textOfID.count)
            let (text, inserted) = texts.insert(piece.utf8)
            textOfID.append(Int32(text))
            if inserted {
                idOfText.append(-1)
                segmentableIDOfText.append(-1)
            }
            if !isFound { return }
            // Reserved pieces are found before ordinary ones of the same text.
            if idOfText[text] < 0 || isReserved { idOfText[text] = id }
            if segmentableIDOfText[text] < 0, !isReserved { segmentableIDOfText[text] = id }
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
        texts.index(of: bytes).flatMap { Self.id(idOfText[$0]) }
    }

    package func id(of bytes: UnsafeBufferPointer<UInt8>) -> PieceID? {
        texts.index(of: bytes).flatMap { Self.id(idOfText[$0]) }
    }

    public func id(of text: String) -> PieceID? {
        id(of: text.utf8)
    }

    /// The id of the piece that text can become, reserved pieces of the same text aside.
    func segmentableID(of bytes: UnsafeBufferPointer<UInt8>) -> PieceID? {
        texts.index(of: bytes).flatMap { Self.id(segmentableIDOfText[$0]) }
    }

    private static func id(_ value: Int32) -> PieceID? {
        value < 0 ? nil : PieceID(rawValue: value)
    }

    /// Pieces that segmentation may give for text: normal and user-defined ones, and unused ones on the way.
    func isSegmentable(_ id: PieceID) -> Bool {
        segmentableIDOfText[Int(textOfID[Int(id.rawValue)])] == id.rawValue
    }

    /// The bytes of all pieces, for loops.
    struct Texts {
        private let view: ByteStringTable.View
        private let textOfID: UnsafeBufferPointer<Int32>

        fileprivate init(_ view: ByteStringTable.View, _ textOfID: UnsafeBufferPointer<Int32>) {
            self.view = view
            self.textOfID = textOfID
        }

        func bytes(of id: Int) -> UnsafeBufferPointer<UInt8> { view[Int(textOfID[id])] }
    }

    /// Calls `body` with the pieces' bytes, which are valid inside it only.
    func withTexts<R>(_ body: (Texts) throws -> R) rethrows -> R {
        try texts.withView { view in
            try textOfID.withUnsafeBufferPointer { try body(Texts(view, $0)) }
        }
    }

    /// For each id the length of its piece in bytes.
    var byteLengths: [Int32] {
        withTexts { texts in (0..<count).map { Int32(texts.bytes(of: $0).count) } }
    }

    /// The lowest score of a normal piece; nil if there is none.
    var lowestScore: Float? {
        types.indices.filter { types[$0] == .normal }.map { scores[$0] }.min()
    }

    /// The user-defined pieces as a trie of ids; nil if there are none.
    func userDefinedTrie() -> DoubleArrayTrie? {
        let pieces = userDefined
        if pieces.isEmpty { return nil }
        return DoubleArrayTrie(sorting: pieces.map { (Array(bytes(of: $0)), UInt32($0.rawValue)) })
    }

    var userDefined: [PieceID] {
        types.indices.filter { types[$0] == .userDefined }.map { PieceID($0) }.filter(isSegmentable)
    }
}

extension SentencePieceModel.Piece.TypeEnum {
    var isReserved: Bool {
        self == .control || self == .unknown || self == .byte
    }
}
