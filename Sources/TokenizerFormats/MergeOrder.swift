import PieceModel
import UnicodeText

/// What the order of a tokenizer.json's merges says as scores.
///
/// There each pair has its rank; in SentencePiece each piece has its score, however it is made. The two are the same if
/// all ways to make a piece stand together in the list and none is missing.
struct MergeOrder {
    private let merges: [RankedMerges.Merge]
    private let vocabulary: TokenTable

    init(_ merges: RankedMerges, _ vocabulary: TokenTable) {
        self.merges = merges.list
        self.vocabulary = vocabulary
    }

    /// Sets 0, -1, -2, … in the order in which pieces are first made, then goes on with all that are never made.
    func setScores(_ proto: inout Sentencepiece_ModelProto, _ differences: inout [String]) {
        var order: [Int32] = []
        var ways: [Int32: Int] = [:]
        var scattered: Set<Int32> = []
        for merge in merges {
            ways[merge.result, default: 0] += 1
            if order.last == merge.result { continue }
            if ways[merge.result] == 1 { order.append(merge.result) } else { scattered.insert(merge.result) }
        }
        for (place, id) in order.enumerated() { proto.pieces[Int(id)].score = Float(-place) }
        var next = order.count
        for index in proto.pieces.indices where proto.pieces[index].type == .normal && ways[Int32(index)] == nil {
            proto.pieces[index].score = Float(-next)
            next += 1
        }
        say(scattered.count, "pieces are made by merges of different rank there, and have one score here", &differences)
        let missing = proto.pieces.indices.count { index in
            proto.pieces[index].type == .normal && waysToMake(Int32(index)) > ways[Int32(index), default: 0]
        }
        say(missing, "pieces can be made here in a way that is no merge there", &differences)
    }

    private func say(_ count: Int, _ text: String, _ differences: inout [String]) {
        if count > 0 { differences.append("\(count) \(text)") }
    }

    /// In how many ways a token is two others.
    private func waysToMake(_ id: Int32) -> Int {
        let text = vocabulary.token(of: id) ?? []
        var count = 0
        var cut = 0
        while cut < text.count {
            cut += UTF8Scalars.announcedLength(text[cut])
            if cut < text.count, vocabulary.id(of: text[..<cut]) != nil, vocabulary.id(of: text[cut...]) != nil {
                count += 1
            }
        }
        return count
    }
}
