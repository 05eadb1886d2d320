import Tokenizers

/// The lattice of one piece's own text, for what pruning asks: what would stand in the piece's place without it?
///
/// One value serves for many pieces, so that nothing is allocated for each.
struct PieceLattice {
    struct Node {
        var piece: Int32
        var start: Int32
        var end: Int32
        var score: Float
        /// The best sum of a path up to and with this node.
        var best: Float = 0
    }

    private(set) var length = 0
    /// By where they begin, the shortest first.
    private(set) var nodes: [Node] = []
    /// For each position the nodes that end there, by where they begin.
    private var ending: [[Int32]] = []
    private var bestAt: [Float] = []

    mutating func begin(length: Int) {
        self.length = length
        nodes.removeAll(keepingCapacity: true)
        while ending.count <= length { ending.append([]) }
        for position in 0...length { ending[position].removeAll(keepingCapacity: true) }
        while bestAt.count <= length { bestAt.append(0) }
    }

    mutating func append(piece: Int32, start: Int, length: Int, score: Float) {
        ending[start + length].append(Int32(nodes.count))
        nodes.append(Node(piece: piece, start: Int32(start), end: Int32(start + length), score: score))
    }

    /// What pruning needs to know of a piece.
    enum Verdict {
        /// No other way to cut it.
        case only
        /// A path of several pieces is better: it is not needed.
        case split
        /// The path that is second best.
        case alternative
    }

    /// Below this difference, rounding may decide which of two paths is better: then all is done in sentencepiece's order.
    private static let margin: Float = 1e-2
    /// Up to this length, rounding cannot add up to half of the margin.
    private static let longestQuick = 64

    /// Judges the piece whose text this is; an alternative's pieces are added to `path`.
    mutating func judge(into path: inout [Int32]) -> Verdict {
        if length == 1 { return .only }
        guard let own = nodes.firstIndex(where: { $0.start == 0 && Int($0.end) == length }) else {
            return .split
        }
        let start = path.count
        if length <= Self.longestQuick, let best = bestPath(without: own, into: &path) {
            if best > nodes[own].score + Self.margin {
                path.removeLast(path.count - start)
                return .split
            }
            if best < nodes[own].score - Self.margin { return .alternative }
        }
        path.removeLast(path.count - start)
        return verdictOfSearch(into: &path)
    }

    /// The best path without the node `own`, right to left; nil if another is too close to tell them apart by sums of
    /// single precision.
    private mutating func bestPath(without own: Int, into path: inout [Int32]) -> Float? {
        for position in 0...length { bestAt[position] = position == 0 ? 0 : -.infinity }
        for index in nodes.indices where index != own {
            let node = nodes[index]
            let sum = bestAt[Int(node.start)] + node.score
            nodes[index].best = sum
            bestAt[Int(node.end)] = max(bestAt[Int(node.end)], sum)
        }
        let first = path.count
        var end = length
        while end > 0 {
            var chosen: Int?
            for number in ending[end] where Int(number) != own {
                let node = nodes[Int(number)]
                if node.best == bestAt[end], chosen == nil {
                    chosen = Int(number)
                } else if node.best > bestAt[end] - Self.margin {
                    return nil
                }
            }
            guard let chosen else { return nil }
            path.append(nodes[chosen].piece)
            end = Int(nodes[chosen].start)
        }
        path[first...].reverse()
        return bestAt[length]
    }

    /// As sentencepiece decides: by the two best paths, searched for and compared in its order.
    private func verdictOfSearch(into path: inout [Int32]) -> Verdict {
        var lattice = Lattice(
            length: length,
            pieces: nodes.map { Lattice.Node(id: $0.piece, start: $0.start, end: $0.end, score: $0.score) })
        let found = lattice.bestPaths(2)
        if found.count < 2 { return .only }
        if found[0].path.count >= 2 { return .split }
        path += found[1].path.map { lattice.nodes[$0].id }
        return .alternative
    }

    /// The highest sum of a path that does not use the piece itself, as the Viterbi algorithm rounds it; nil if the piece
    /// is not in its own lattice.
    mutating func bestScore(withoutPiece piece: Int32) -> (own: Float, other: Float)? {
        guard let own = nodes.firstIndex(where: { $0.piece == piece && $0.start == 0 && Int($0.end) == length }) else {
            return nil
        }
        var best = [Float](repeating: -.infinity, count: length + 1)
        best[0] = 0
        for index in nodes.indices where index != own {
            let node = nodes[index]
            best[Int(node.end)] = max(best[Int(node.end)], best[Int(node.start)] + node.score)
        }
        return (nodes[own].score, best[length])
    }
}
