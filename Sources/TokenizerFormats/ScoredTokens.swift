import OrderedJSON
import Tokenizers
import UnicodeText

/// A unigram model: the segmentation with the best sum of scores, in double precision.
struct ScoredTokens: Sendable {
    private let trie: DoubleArrayTrie
    let scores: [Double]
    let unknownID: Int32?
    let fallsBackToBytes: Bool
    private let unknownScore: Double

    /// How much less than the least score an unknown character has.
    private static let unknownPenalty = 10.0

    init(_ settings: FileNode, _ vocabulary: TokenTable, _ scores: [Double]) throws(TokenizerFormatError) {
        self.scores = scores
        fallsBackToBytes = try settings.flag("byte_fallback", default: false)
        if let node = settings["unk_id"] {
            let id = try node.id()
            guard id < scores.count else { throw node.failure("is \(id), beyond the \(scores.count) entries") }
            unknownID = id
        } else {
            throw settings.failure("lacks \"unk_id\", without which not every text can be encoded")
        }
        trie = DoubleArrayTrie(sorting: vocabulary.entries.map { (key: $0.token, value: UInt32($0.id)) })
        unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    }

    private struct Best {
        var id: Int32 = 0
        var score = 0.0
        var start = -1
    }

    /// Appends the ids of a word; a run of unknown characters is one token, looked up once more as a whole.
    func encode(_ word: [UInt8], _ vocabulary: TokenTable, _ ids: inout [Int32]) {
        let best = word.withUnsafeBufferPointer { bestPaths(of: $0) }
        var pieces: [Range<Int>] = []
        var end = word.count
        var wasUnknown = false
        while end > 0 {
            let node = best[end]
            let isUnknown = node.id == unknownID
            if isUnknown, wasUnknown, let last = pieces.popLast() {
                pieces.append(node.start..<last.upperBound)
            } else {
                pieces.append(node.start..<end)
            }
            wasUnknown = isUnknown
            end = node.start
        }
        for piece in pieces.reversed() { append(word[piece], vocabulary, &ids) }
    }

    private func append(_ piece: ArraySlice<UInt8>, _ vocabulary: TokenTable, _ ids: inout [Int32]) {
        if let id = vocabulary.id(of: piece) {
            ids.append(id)
        } else if fallsBackToBytes, piece.allSatisfy({ vocabulary.byteIDs[Int($0)] != nil }) {
            ids += piece.compactMap { vocabulary.byteIDs[Int($0)] }
        } else if let unknownID {
            ids.append(unknownID)
        }
    }

    private func bestPaths(of text: UnsafeBufferPointer<UInt8>) -> [Best] {
        var best = [Best](repeating: Best(), count: text.count + 1)
        func offer(_ id: Int32, _ score: Double, from start: Int, to end: Int) {
            if best[end].start < 0 || score > best[end].score { best[end] = Best(id: id, score: score, start: start) }
        }
        var start = 0
        while start < text.count {
            let character = min(UTF8Scalars.announcedLength(text[start]), text.count - start)
            let base = best[start].score
            var hasCharacter = false
            trie.forEachPrefix(of: text, from: start) { id, length in
                offer(Int32(id), scores[id] + base, from: start, to: start + length)
                if length == character { hasCharacter = true }
            }
            if !hasCharacter { offer(unknownID ?? 0, unknownScore + base, from: start, to: start + character) }
            start += character
        }
        return best
    }
}
