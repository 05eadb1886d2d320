public import PieceModel
public import Tokenizers

/// What a merge did to pieces: new ones that text never becomes, and pieces of the base that it no longer becomes.
public struct MergeHarm: Sendable {
    /// New pieces that are never reached, or that normalization takes away, by id.
    public let unreached: [PieceID]
    /// Pieces of the base that their text was encoded to by the base and is not by the merge, by id.
    public let broken: [PieceID]
    private let reachability: Reachability

    /// - Throws: `PieceModelError`.
    public init(base: SentencePieceModel, merged: SentencePieceModel) throws(PieceModelError) {
        let before = try Set(Reachability(base).unreachedRows)
        reachability = try Reachability(merged)
        let normalization = try PieceNormalization(merged)
        let firstNew = PieceID(base.pieces.count)
        let unreached = reachability.unreachedRows
        let takenAway = Set(
            reachability.rows.filter { normalization.takesAway(Array(merged.pieces[Int($0.rawValue)].piece.utf8)) })
        self.unreached = takenAway.union(unreached).filter { $0 >= firstNew }.sorted()
        // What normalization takes away no text became before either.
        broken = unreached.filter { $0 < firstNew && !before.contains($0) && !takenAway.contains($0) }
    }

    /// What the merge makes of a piece's text.
    public func pieces(of id: PieceID) -> [PieceID] { reachability.pieces(of: id) }

    /// - Throws: `MergeError.cannotProve` if there is any.
    public func check(base path: String) throws(MergeError) {
        if unreached.isEmpty, broken.isEmpty { return }
        throw .cannotProve(path: path, unreached: unreached.count, broken: broken.count)
    }
}
