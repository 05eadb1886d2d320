import PieceModel

/// The best segmentation under a unigram model: Viterbi over characters, in single precision and in sentencepiece's
/// order of additions and comparisons.
struct UnigramSegmenter: Sendable {
    let characters: CharacterNumbers
    let trie: PieceTrie
    let filter: PairFilter
    /// For each id its score; user-defined pieces get theirs by length in bytes.
    private let scores: [Float]
    /// For each character's number plus one the score of the piece that it is alone; infinite: it is none.
    private let singleScores: [Float]
    private let isUserDefined: [Bool]
    let unknownScore: Float
    let unknownID: Int32

    private static let unknownPenalty: Float = 10
    /// Scores are moved back towards zero beyond this, so that a long text loses no precision.
    private static let resetThreshold: Float = 100_000

    init(_ vocabulary: Vocabulary) {
        let pieces = SegmentablePieces(vocabulary: vocabulary)
        let characters = CharacterNumbers(pieces)
        let byteLengths = vocabulary.byteLengths
        let scores = vocabulary.scores.indices.map { id in
            vocabulary.types[id] == .userDefined
                ? Self.userDefinedScore(length: Int(byteLengths[id])) : vocabulary.scores[id]
        }
        self.characters = characters
        self.scores = scores
        isUserDefined = vocabulary.types.map { $0 == .userDefined }
        (trie, filter) = PieceTrie.make(pieces, characters)
        singleScores =
            [.infinity]
            + (0..<vocabulary.count + characters.extraCount).map { number in
                guard number < vocabulary.count, vocabulary.types[number] != .unused,
                    vocabulary.isSegmentable(PieceID(number))
                else { return .infinity }
                return scores[number]
            }
        unknownScore = (vocabulary.lowestScore ?? .greatestFiniteMagnitude) - Self.unknownPenalty
        unknownID = vocabulary.unknownID?.rawValue ?? -1
    }

    /// Whether a character is a piece alone.
    func isSinglePiece(_ symbol: Int32) -> Bool {
        singleScores[Int(symbol) + 1] != .infinity
    }

    /// The score of a piece in a lattice: that of a user-defined piece goes by its length in characters there.
    func latticeScore(_ id: Int32, length: Int) -> Float {
        isUserDefined[Int(id)] ? Self.userDefinedScore(length: length) : scores[Int(id)]
    }

    /// A bonus that grows with the piece's length, so that it wins over what it is made of.
    static func userDefinedScore(length: Int) -> Float {
        Float(0.1 * Double(length - 1))
    }

    /// Finds the pieces of the scratch's text.
    func segment(_ scratch: EncodingScratch) {
        characters.split(scratch, userDefined: nil)
        let count = scratch.symbols.count
        scratch.paths.reserve(count + 1)
        scratch.paths.count = count + 1
        let paths = scratch.paths.base
        for index in 0...count { paths[index] = EncodingScratch.PathEnd(score: 0, id: -1, start: -1) }
        let symbols = scratch.symbols.elements
        scores.withUnsafeBufferPointer { scores in
            singleScores.withUnsafeBufferPointer { singleScores in
                filter.withView { filter in
                    trie.withView { trie in
                        findPaths(symbols, paths, Views(scores, singleScores, filter, trie))
                    }
                }
            }
        }
        backtrack(paths, scratch)
    }

    private struct Views {
        let scores: UnsafeBufferPointer<Float>
        let singleScores: UnsafeBufferPointer<Float>
        let filter: PairFilter.View
        let trie: PieceTrie.View

        init(
            _ scores: UnsafeBufferPointer<Float>, _ singleScores: UnsafeBufferPointer<Float>,
            _ filter: PairFilter.View, _ trie: PieceTrie.View
        ) {
            (self.scores, self.singleScores, self.filter, self.trie) = (scores, singleScores, filter, trie)
        }
    }

    /// Fills in the best path to each place; `paths` holds one more than there are symbols.
    @inline(__always)
    private func findPaths(
        _ symbols: UnsafeBufferPointer<Int32>, _ paths: UnsafeMutablePointer<EncodingScratch.PathEnd>, _ views: Views
    ) {
        let count = symbols.count
        var frontier = 0
        for start in 0..<count {
            if abs(paths[start].score) > Self.resetThreshold { rebase(paths, from: start, to: frontier) }
            let base = paths[start].score
            let symbol = symbols[start]
            @inline(__always) func offer(_ score: Float, _ id: Int32, at end: Int) {
                let candidate = score + base
                if paths[end].start < 0 || candidate > paths[end].score {
                    paths[end] = EncodingScratch.PathEnd(score: candidate, id: id, start: Int32(start))
                }
                frontier = max(frontier, end)
            }
            let single = views.singleScores[Int(symbol) + 1]
            if single != .infinity { offer(single, symbol, at: start + 1) }
            var node = symbol
            var end = start + 1
            while end < count, views.filter.mayHold(PairFilter.hash(symbols[end - 1], symbols[end])),
                let step = views.trie.step(from: node, by: symbols[end])
            {
                end += 1
                node = step.node
                if step.piece >= 0 { offer(views.scores[Int(step.piece)], step.piece, at: end) }
            }
            // Last, as in sentencepiece: of equal scores the first stays.
            if single == .infinity { offer(unknownScore, -1, at: start + 1) }
        }
    }

    private func rebase(_ paths: UnsafeMutablePointer<EncodingScratch.PathEnd>, from start: Int, to frontier: Int) {
        let offset = paths[start].score
        for index in start...max(start, frontier) where index == start || paths[index].start >= 0 {
            paths[index].score -= offset
        }
    }

    /// Writes the pieces of the best path to the end.
    private func backtrack(_ paths: UnsafePointer<EncodingScratch.PathEnd>, _ scratch: EncodingScratch) {
        let end = scratch.symbols.count
        var count = 0
        var place = end
        while place > 0 {
            count += 1
            place = Int(paths[place].start)
        }
        scratch.ids.reserve(count)
        scratch.ends.reserve(count)
        scratch.ids.count = count
        scratch.ends.count = count
        scratch.hasUnknown = false
        place = end
        while place > 0 {
            count -= 1
            let id = paths[place].id
            scratch.ids.base[count] = id < 0 ? unknownID : id
            scratch.ends.base[count] = scratch.starts.base[place]
            if id < 0 { scratch.hasUnknown = true }
            place = Int(paths[place].start)
        }
    }
}
