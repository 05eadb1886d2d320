public import OrderedJSON
public import PieceModel

/// Where the entries of one vocabulary are in another, for moving rows of a checkpoint: `id-map.json`.
///
///     {"old_entries": 4, "new_entries": 3, "new_ids": [0, 1, null, 2]}
///
/// `new_ids` has one item for each old id: the entry of the same text, or null where there is none.
public struct IDMap: Sendable, Equatable {
    public static let fileName = "id-map.json"
    /// Vocabularies have fewer: what names more is no vocabulary, or would take all memory.
    static let mostEntries = 1 << 24

    public let newEntries: Int
    public let newIDs: [Int?]

    init(newEntries: Int, newIDs: [Int?]) {
        self.newEntries = newEntries
        self.newIDs = newIDs
    }

    public init(from old: SentencePieceModel, to new: SentencePieceModel) {
        let ids = Dictionary(
            new.pieces.enumerated().map { (Array($1.piece.utf8), $0) }, uniquingKeysWith: { first, _ in first })
        newEntries = new.pieces.count
        newIDs = old.pieces.map { ids[Array($0.piece.utf8)] }
    }

    public var json: JSONValue {
        [
            "old_entries": .integer(newIDs.count), "new_entries": .integer(newEntries),
            "new_ids": .array(newIDs.map { $0.map { .integer($0) } ?? .null }),
        ]
    }
}
