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
    private var searcher = PathSearch()

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
        return twoBest(into: &path)
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

    private mutating func twoBest(into path: inout [Int32]) -> Verdict {
        let found = searcher.twoBest(nodes, ending: ending, length: length)
        if found.count < 2 { return .only }
        if found[0].count >= 2 { return .split }
        path += found[1].map { nodes[Int($0)].piece }
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

/// The A* search from the end of a lattice, with the order in which a binary heap of C++'s library gives equal entries.
private struct PathSearch {
    private struct Hypothesis {
        /// A node's number; -1 for the end, -2 for the beginning.
        var node: Int32
        var next: Int32
        var priority: Float
        var sum: Float
    }

    private var hypotheses: [Hypothesis] = []
    private var heap: [Int32] = []

    /// The two best paths as numbers of nodes, or one if there is no other.
    mutating func twoBest(_ nodes: [PieceLattice.Node], ending: [[Int32]], length: Int) -> [[Int32]] {
        let best = bestSums(nodes, ending: ending, length: length)
        hypotheses = [Hypothesis(node: -1, next: -1, priority: best.end, sum: 0)]
        heap = [0]
        var paths: [[Int32]] = []
        while !heap.isEmpty, paths.count < 2 {
            let top = popHeap()
            let hypothesis = hypotheses[Int(top)]
            if hypothesis.node == -2 {
                paths.append(path(from: hypothesis.next))
                continue
            }
            let end = hypothesis.node == -1 ? length : Int(nodes[Int(hypothesis.node)].start)
            if end == 0 {
                push(Hypothesis(node: -2, next: top, priority: hypothesis.sum, sum: hypothesis.sum))
            } else {
                for number in ending[end] {
                    push(
                        Hypothesis(
                            node: number, next: top, priority: best.nodes[Int(number)] + hypothesis.sum,
                            sum: nodes[Int(number)].score + hypothesis.sum))
                }
            }
        }
        return paths
    }

    private func bestSums(
        _ nodes: [PieceLattice.Node], ending: [[Int32]], length: Int
    ) -> (nodes: [Float], end: Float) {
        var best = [Float](repeating: -.infinity, count: length + 1)
        best[0] = 0
        var sums = [Float](repeating: 0, count: nodes.count)
        for (index, node) in nodes.enumerated() {
            sums[index] = best[Int(node.start)] + node.score
            best[Int(node.end)] = max(best[Int(node.end)], sums[index])
        }
        return (sums, best[length])
    }

    private func path(from first: Int32) -> [Int32] {
        var path: [Int32] = []
        var current = first
        while current >= 0, hypotheses[Int(current)].node >= 0 {
            path.append(hypotheses[Int(current)].node)
            current = hypotheses[Int(current)].next
        }
        return path
    }

    private mutating func push(_ hypothesis: Hypothesis) {
        hypotheses.append(hypothesis)
        heap.append(Int32(hypotheses.count - 1))
        siftUp(heap.count - 1, Int32(hypotheses.count - 1))
    }

    private mutating func siftUp(_ start: Int, _ value: Int32) {
        var hole = start
        let priority = hypotheses[Int(value)].priority
        while hole > 0 {
            let parent = (hole - 1) / 2
            if !(hypotheses[Int(heap[parent])].priority < priority) { break }
            heap[hole] = heap[parent]
            hole = parent
        }
        heap[hole] = value
    }

    /// As std::pop_heap: the hole goes down to a leaf, then the last entry up from there.
    private mutating func popHeap() -> Int32 {
        let top = heap[0]
        let value = heap.removeLast()
        let count = heap.count
        if count == 0 { return top }
        var hole = 0
        var child = 0
        while child < (count - 1) / 2 {
            child = 2 * (child + 1)
            if priority(child) < priority(child - 1) { child -= 1 }
            heap[hole] = heap[child]
            hole = child
        }
        if count & 1 == 0, child == (count - 2) / 2 {
            child = 2 * (child + 1)
            heap[hole] = heap[child - 1]
            hole = child - 1
        }
        siftUp(hole, value)
        return top
    }

    private func priority(_ index: Int) -> Float { hypotheses[Int(heap[index])].priority }
}
