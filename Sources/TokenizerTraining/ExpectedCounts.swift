/// The forward-backward algorithm over the lattices of a shard, with sentencepiece's order and rounding of every sum.
struct ExpectedCounts {
    private let model: LatticeModel
    private let logarithms: RoundedLogarithms
    /// The nodes of one word, by where they begin, the shortest first.
    private var nodes: [Node] = []
    private var nodeStarts: [Int32] = []
    /// Logarithms of the sums over all paths from the beginning, and to the end.
    private var alpha: [Float] = []
    private var beta: [Float] = []

    private struct Node {
        var piece: Int32
        var length: Int32
        var score: Float
    }

    init(_ model: LatticeModel, logarithms: RoundedLogarithms) {
        self.model = model
        self.logarithms = logarithms
    }

    /// Adds each piece's expected frequency in the shard's words to `expected`; false if a word has no finite sum.
    mutating func add(_ shard: LatticeShard, to expected: SharedBuffer<Float>) -> Bool {
        let longest = shard.longestWord
        alpha = [Float](repeating: 0, count: longest + 1)
        beta = alpha
        nodeStarts = [Int32](repeating: 0, count: longest + 1)
        var position = 0
        var match = 0
        var isFinite = true
        shard.matchCounts.withUnsafeBufferPointer { counts in
            shard.matches.withUnsafeBufferPointer { matches in
                for (length, frequency) in zip(shard.wordLengths, shard.frequencies) {
                    let word = UnsafeBufferPointer(rebasing: counts[position..<position + Int(length)])
                    match += layOut(word, matches.baseAddress.map { $0 + match }, length: Int(length))
                    position += Int(length)
                    if !addWord(length: Int(length), frequency, to: expected.pointer) { isFinite = false }
                }
            }
        }
        return isFinite
    }

    /// No sum over a word of so many characters is lower than that of its characters as unknown ones.
    private func errorOfSums(_ length: Int) -> Double {
        RoundedLogarithms.error(forSumsUpTo: Double(length) * Double(abs(model.unknownScore)))
    }

    /// Writes down the nodes of a word, and the forward sums with them; says how many matches it has.
    @inline(__always)
    private mutating func layOut(
        _ counts: UnsafeBufferPointer<UInt16>, _ matches: UnsafePointer<Int32>?, length: Int
    ) -> Int {
        let total = counts.reduce(0) { $0 + Int($1) }
        let needed = total + length
        if nodes.count < needed {
            nodes = [Node](repeating: Node(piece: 0, length: 0, score: 0), count: needed + needed / 2)
        }
        let pieces = model.pieces.pointer
        let unknown = Node(piece: 0, length: 1, score: model.unknownScore)
        let logarithms = logarithms
        let error = errorOfSums(length)
        nodes.withUnsafeMutableBufferPointer { nodes in
            nodeStarts.withUnsafeMutableBufferPointer { starts in
                alpha.withUnsafeMutableBufferPointer { alpha in
                    // In a loop of its own: looking up pieces misses the cache, and the processor waits for many at once.
                    var node = 0
                    var next = 0
                    for position in 0..<length {
                        starts[position] = Int32(node)
                        var hasSingle = false
                        for _ in 0..<counts[position] {
                            guard let matches else { break }
                            let number = matches[next]
                            let piece = pieces[Int(number)]
                            next += 1
                            nodes[node] = Node(piece: number, length: piece.length, score: piece.score)
                            node += 1
                            if piece.length == 1 { hasSingle = true }
                        }
                        if !hasSingle {
                            nodes[node] = unknown
                            node += 1
                        }
                    }
                    starts[length] = Int32(node)
                    for index in 0...length { alpha[index] = -.infinity }
                    alpha[0] = 0
                    for position in 0..<length {
                        let before = alpha[position]
                        for index in Int(starts[position])..<Int(starts[position + 1]) {
                            let node = nodes[index]
                            let end = position + Int(node.length)
                            alpha[end] = logarithms.logSum(alpha[end], node.score + before, error: error)
                        }
                    }
                }
            }
        }
        return total
    }

    /// The backward sums and the marginals of the word that is laid out.
    @inline(__always)
    private mutating func addWord(length: Int, _ frequency: Float, to expected: UnsafeMutablePointer<Float>) -> Bool {
        let logarithms = logarithms
        let error = errorOfSums(length)
        return nodes.withUnsafeBufferPointer { nodes in
            nodeStarts.withUnsafeBufferPointer { starts in
                alpha.withUnsafeBufferPointer { alpha in
                    beta.withUnsafeMutableBufferPointer { beta in
                        beta[length] = 0
                        var position = length - 1
                        while position >= 0 {
                            var sum = -Float.infinity
                            for index in Int(starts[position])..<Int(starts[position + 1]) {
                                let node = nodes[index]
                                sum = logarithms.logSum(
                                    sum, node.score + beta[position + Int(node.length)], error: error)
                            }
                            beta[position] = sum
                            position -= 1
                        }
                        let total = alpha[length]
                        for position in 0..<length {
                            for index in Int(starts[position])..<Int(starts[position + 1]) {
                                let node = nodes[index]
                                let share = alpha[position] + node.score + beta[position + Int(node.length)] - total
                                let piece = Int(node.piece)
                                expected[piece] = logarithms.adding(
                                    frequency, timesExponentialOf: share, to: expected[piece])
                            }
                        }
                        return total.isFinite
                    }
                }
            }
        }
    }
}
