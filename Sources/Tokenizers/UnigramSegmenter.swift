import PieceModel
import UnicodeText

/// The best segmentation under a unigram model: Viterbi over bytes, in single precision and in sentencepiece's order.
struct UnigramSegmenter: Sendable {
    private let trie: DoubleArrayTrie
    /// For each id its score; user-defined pieces get theirs by length.
    private let scores: [Float]
    private let isUnused: [Bool]
    private let unknownScore: Float
    private let unknownID: Int32

    private static let unknownPenalty: Float = 10
    /// Scores are moved back towards zero beyond this, so that a long text loses no precision.
    private static let resetThreshold: Float = 100_000

    init(_ vocabulary: Vocabulary) {
        let ids = (0..<vocabulary.count).map { PieceID($0) }.filter(vocabulary.isSegmentable)
        trie = DoubleArrayTrie(
            sorting: ids.map { (key: Array(vocabulary.bytes(of: $0)), value: UInt32($0.rawValue)) }
                .filter { !$0.key.contains(0) })
        scores = (0..<vocabulary.count).map { index in
            vocabulary.types[index] == .userDefined
                ? Self.userDefinedScore(length: vocabulary.bytes(of: PieceID(index)).count) : vocabulary.scores[index]
        }
        isUnused = vocabulary.types.map { $0 == .unused }
        let lowest = vocabulary.types.indices.filter { vocabulary.types[$0] == .normal }.map { vocabulary.scores[$0] }
            .min()
        unknownScore = (lowest ?? .greatestFiniteMagnitude) - Self.unknownPenalty
        unknownID = vocabulary.unknownID?.rawValue ?? -1
    }

    /// A bonus that grows with the piece's length in bytes, so that it wins over what it is made of.
    private static func userDefinedScore(length: Int) -> Float {
        Float(0.1 * Double(length - 1))
    }

    private struct Best {
        var id: Int32 = -1
        var score: Float = 0
        var start: Int32 = -1
    }

    /// Calls `body` with the id and byte range of each piece, left to right; unknown characters have `unknownID`.
    func segment(_ text: UnsafeBufferPointer<UInt8>, _ body: (Int32, Range<Int>) -> Void) {
        var best = [Best](repeating: Best(), count: text.count + 1)
        var start = 0
        var frontier = 0
        while start < text.count {
            let length = min(UTF8Scalars.announcedLength(text[start]), text.count - start)
            if abs(best[start].score) > Self.resetThreshold { rebase(&best, from: start, to: frontier) }
            extend(&best, text, from: start, characterLength: length, frontier: &frontier)
            start += length
        }
        backtrack(best, body)
    }

    @inline(__always)
    private func extend(
        _ best: inout [Best], _ text: UnsafeBufferPointer<UInt8>, from start: Int, characterLength: Int,
        frontier: inout Int
    ) {
        let base = best[start].score
        var hasSingle = false
        trie.forEachPrefix(of: text, from: start) { id, length in
            if isUnused[id] { return }
            let end = start + length
            frontier = max(frontier, end)
            let candidate = scores[id] + base
            if best[end].start == -1 || candidate > best[end].score {
                best[end] = Best(id: Int32(id), score: candidate, start: Int32(start))
            }
            if length == characterLength { hasSingle = true }
        }
        if hasSingle { return }
        let end = start + characterLength
        frontier = max(frontier, end)
        let candidate = unknownScore + base
        if best[end].start == -1 || candidate > best[end].score {
            best[end] = Best(id: unknownID, score: candidate, start: Int32(start))
        }
    }

    private func rebase(_ best: inout [Best], from start: Int, to frontier: Int) {
        let offset = best[start].score
        for index in start...max(start, frontier) where index == start || best[index].start != -1 {
            best[index].score -= offset
        }
    }

    private func backtrack(_ best: [Best], _ body: (Int32, Range<Int>) -> Void) {
        var steps: [Int] = []
        var end = best.count - 1
        while end > 0 {
            steps.append(end)
            end = Int(best[end].start)
        }
        for end in steps.reversed() { body(best[end].id, Int(best[end].start)..<end) }
    }
}
