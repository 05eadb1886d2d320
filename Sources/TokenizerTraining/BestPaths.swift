/// The Viterbi algorithm over the lattices of a shard: how often each piece is on the best path.
struct BestPaths {
    private let model: LatticeModel
    private var columns: [Column] = []
    private var nodeStarts: [Int32] = []
    private var positionOffset = 0

    /// What is known of the nodes that end at a position.
    private struct Column {
        /// The highest sum of a path to here, and the next lower one.
        var best = -Float.infinity
        var second = -Float.infinity
        /// Where the best node begins, its piece and its score; the first of equals.
        var start: Int32 = 0
        var piece: Int32 = 0
        var score: Float = 0

        /// A node that begins at `position`, where the best sum is `before`.
        @inline(__always)
        mutating func offer(_ piece: Int32, _ score: Float, from position: Int, _ before: Float) {
            let sum = before + score
            if sum > best {
                second = best
                best = sum
                start = Int32(truncatingIfNeeded: position)
                self.piece = piece
                self.score = score
            } else if sum > second {
                second = sum
            }
        }
    }

    init(_ model: LatticeModel) {
        self.model = model
    }

    /// Adds to `counts` how often each piece is used.
    mutating func add(_ shard: LatticeShard, to counts: SharedBuffer<Float>) {
        columns = [Column](repeating: Column(), count: shard.longestWord + 1)
        nodeStarts = [Int32](repeating: 0, count: shard.longestWord + 1)
        var position = 0
        var match = 0
        shard.matchCounts.withUnsafeBufferPointer { matchCounts in
            shard.matches.withUnsafeBufferPointer { matches in
                for (length, frequency) in zip(shard.wordLengths, shard.frequencies) {
                    let word = Word(
                        counts: UnsafeBufferPointer(rebasing: matchCounts[position..<position + Int(length)]),
                        matches: UnsafeBufferPointer(rebasing: matches[match...]))
                    match += forward(word)
                    backtrack(word, frequency, counts.pointer)
                    position += Int(length)
                }
            }
        }
    }

    private struct Word {
        let counts: UnsafeBufferPointer<UInt16>
        let matches: UnsafeBufferPointer<Int32>
    }

    @inline(__always)
    private mutating func forward(_ word: Word) -> Int {
        let pieces = model.pieces.pointer
        let unknown = model.unknownScore
        var next = 0
        columns.withUnsafeMutableBufferPointer { columns in
            nodeStarts.withUnsafeMutableBufferPointer { starts in
                for index in 0...word.counts.count { columns[index] = Column() }
                columns[0].best = 0
                for position in 0..<word.counts.count {
                    starts[position] = Int32(next)
                    let before = columns[position].best
                    var hasSingle = false
                    for _ in 0..<word.counts[position] {
                        let number = word.matches[next]
                        let piece = pieces[Int(number)]
                        next += 1
                        if piece.length == 1 { hasSingle = true }
                        columns[position + Int(piece.length)].offer(number, piece.score, from: position, before)
                    }
                    // A character that is no piece counts as piece 0, as in sentencepiece's training.
                    if !hasSingle { columns[position + 1].offer(0, unknown, from: position, before) }
                }
                starts[word.counts.count] = Int32(next)
            }
        }
        return next
    }

    private func backtrack(_ word: Word, _ frequency: Float, _ counts: UnsafeMutablePointer<Float>) {
        var end = word.counts.count
        // The score of the node to the right: rounding with it decides between paths that are all but equal.
        var rightScore: Float = 0
        while end > 0 {
            var column = columns[end]
            if column.best + rightScore <= column.second + rightScore { column = firstOfEquals(word, end, rightScore) }
            counts[Int(column.piece)] += frequency
            rightScore = column.score
            end = Int(column.start)
        }
    }

    /// Among nodes whose sums with what is to the right round to the same, the one that begins first.
    private func firstOfEquals(_ word: Word, _ end: Int, _ rightScore: Float) -> Column {
        let wanted = columns[end].best + rightScore
        for start in max(0, end - model.longestPiece)..<end {
            let before = columns[start].best
            var column = Column()
            var hasSingle = false
            for index in Int(nodeStarts[start])..<Int(nodeStarts[start + 1]) {
                let piece = model.pieces[Int(word.matches[index])]
                if piece.length == 1 { hasSingle = true }
                if start + Int(piece.length) == end {
                    column.offer(word.matches[index], piece.score, from: start, before)
                }
            }
            if !hasSingle, start + 1 == end { column.offer(0, model.unknownScore, from: start, before) }
            if column.best + rightScore >= wanted { return column }
        }
        return columns[end]
    }
}
