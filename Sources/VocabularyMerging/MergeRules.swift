import PieceModel
import Tokenizers

/// The merges of a BPE vocabulary, to which more can be added below all others.
///
/// It encodes short texts slowly and shows how each piece is made. User-defined pieces are not cut out beforehand, and
/// unused ones are not taken apart again; a `Tokenizer` has the last word.
struct MergeRules {
    private(set) var texts: ByteStringTable
    /// For each text its rank, the best being the lowest, or nil for what is no merge.
    private var ranks: [Int?]
    private var nextRank: Int

    /// - Parameter count: how many of the model's pieces there are to begin with.
    init(_ model: SentencePieceModel, count: Int? = nil) {
        let pieces = model.pieces.prefix(count ?? model.pieces.count)
        texts = ByteStringTable(minimumCapacity: pieces.count * 2)
        ranks = []
        let order = pieces.indices.sorted { pieces[$0].score.orderedBits > pieces[$1].score.orderedBits }
        nextRank = 0
        var rankOfID = [Int](repeating: 0, count: pieces.count)
        for (place, id) in order.enumerated() {
            if place > 0, pieces[order[place - 1]].score.orderedBits != pieces[id].score.orderedBits { nextRank += 1 }
            rankOfID[id] = nextRank
        }
        nextRank += 1
        for (id, piece) in pieces.enumerated() {
            let isMerge = piece.type == .normal || piece.type == .unused || piece.type == .userDefined
            if texts.insert(piece.piece.utf8).inserted { ranks.append(nil) }
            if isMerge, let text = texts.index(of: piece.piece.utf8) { ranks[text] = rankOfID[id] }
        }
    }

    func contains(_ text: some Collection<UInt8>) -> Bool {
        texts.index(of: text) != nil
    }

    /// Adds a piece, which must be new, below all others.
    mutating func append(_ text: some Collection<UInt8>) {
        let (_, isNew) = texts.insert(text)
        precondition(isNew, "a merge is added twice")
        ranks.append(nextRank)
        nextRank += 1
    }

    /// What a text is cut into, as the places where pieces end, and where the two halves met that were joined last.
    func encode(_ text: [UInt8]) -> (ends: [Int], lastCut: Int?) {
        var bounds = characterStarts(of: text)
        var lastCut: Int?
        text.withUnsafeBufferPointer { text in
            func rank(_ index: Int) -> Int {
                if index + 2 >= bounds.count { return .max }
                let pair = UnsafeBufferPointer(rebasing: text[bounds[index]..<bounds[index + 2]])
                return texts.index(of: pair).flatMap { ranks[$0] } ?? .max
            }
            /// The rank of the merge of each symbol with the next.
            var pairs = bounds.indices.map(rank)
            while let best = pairs.min(), best < .max, let index = pairs.firstIndex(of: best) {
                lastCut = bounds.remove(at: index + 1)
                pairs.remove(at: index + 1)
                pairs[index] = rank(index)
                if index > 0 { pairs[index - 1] = rank(index - 1) }
            }
        }
        return (Array(bounds.dropFirst()), lastCut)
    }
}

extension Float {
    /// Ordered as sentencepiece 0.2.3 orders scores: by bit patterns, +0 above -0.
    fileprivate var orderedBits: UInt32 { bitPattern >> 31 == 1 ? ~bitPattern : bitPattern | 1 << 31 }
}
