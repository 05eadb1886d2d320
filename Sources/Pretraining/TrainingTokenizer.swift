/// Turns ids into text as they come.
public protocol TextDecoder {
    /// The text that the id makes certain, in whole characters.
    mutating func append(_ id: Int32) throws -> String
    /// The rest of the text.
    func rest() -> String
}

/// A tokenizer as pretraining needs it: ids out of bytes, text out of ids, the pieces around a document, and a name for its content.
public struct TrainingTokenizer: Sendable {
    /// What messages call it.
    public let path: String
    /// SHA-256 of the file it was read from.
    public let digest: String
    public let pieceCount: Int
    /// The piece before every document, if the tokenizer has one.
    public let beginID: Int32?
    /// The piece after every document.
    public let endID: Int32
    /// nil where nobody knows; the bits per byte of steps are then not logged.
    let pieceBytes: PieceBytes?
    let encode: @Sendable ([UInt8]) throws -> [Int32]
    /// A decoder of what follows the given ids.
    let decoder: @Sendable ([Int32]) throws -> any TextDecoder

    public init(
        path: String, digest: String, pieceCount: Int, beginID: Int32?, endID: Int32,
        pieceBytes: PieceBytes? = nil,
        encode: @escaping @Sendable ([UInt8]) throws -> [Int32],
        decoder: @escaping @Sendable ([Int32]) throws -> any TextDecoder
    ) {
        self.path = path
        self.digest = digest
        self.pieceCount = pieceCount
        self.beginID = beginID
        self.endID = endID
        self.pieceBytes = pieceBytes
        self.encode = encode
        self.decoder = decoder
    }
}
