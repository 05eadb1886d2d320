import Foundation
import SeededRandom

/// All ways to cut a text into the pieces of a unigram model: a node for each piece at each place.
///
/// Scores are single precision and are added and compared in the order of sentencepiece.
package struct Lattice {
    package struct Node {
        /// The piece, or -1: an unknown character, or one of the two ends of the text.
        package var id: Int32
        /// The characters that it covers.
        package var start: Int32
        package var end: Int32
        var score: Float
        /// The score of the best path from the text's start up to and with this node.
        var best: Float = 0
        /// The node before it on that path.
        var previous: Int32 = -1

        package init(id: Int32, start: Int32, end: Int32, score: Float) {
            self.id = id
            self.start = start
            self.end = end
            self.score = score
        }
    }

    /// The text's start, the text's end, then the pieces by place and length.
    package private(set) var nodes: [Node]
    /// The nodes that end at each place, in order: `ending[endStarts[place]..<endStarts[place + 1]]`.
    private var ending: [Int32] = []
    private var endStarts: [Int]
    /// The place after the last character.
    let length: Int

    static let startNode = 0
    static let endNode = 1

    /// - Parameter pieces: by place, then length, an unknown character last.
    package init(length: Int, pieces: [Node]) {
        self.length = length
        nodes =
            [
                Node(id: -1, start: 0, end: 0, score: 0),
                Node(id: -1, start: Int32(length), end: Int32(length), score: 0),
            ] + pieces
        endStarts = [Int](repeating: 0, count: length + 2)
        for index in nodes.indices where index != Self.endNode { endStarts[Int(nodes[index].end) + 1] += 1 }
        for place in 0...length { endStarts[place + 1] += endStarts[place] }
        var next = endStarts
        ending = [Int32](repeating: 0, count: nodes.count - 1)
        for index in nodes.indices where index != Self.endNode {
            let place = Int(nodes[index].end)
            ending[next[place]] = Int32(index)
            next[place] += 1
        }
    }

    /// The nodes that end where another begins.
    func nodes(before node: Int) -> ArraySlice<Int32> {
        let place = Int(nodes[node].start)
        return ending[endStarts[place]..<endStarts[place + 1]]
    }

    /// Pieces in the order of their places, the text's end last.
    private var inOrder: some Sequence<Int> {
        Array(2..<nodes.count) + [Self.endNode]
    }

    /// Finds the best path to each node, and with it the best of all.
    mutating func findBestPaths() {
        for node in inOrder {
            var best: Float = 0
            var previous: Int32 = -1
            for left in nodes(before: node) {
                let score = nodes[Int(left)].best + nodes[node].score
                if previous < 0 || score > best { (best, previous) = (score, left) }
            }
            nodes[node].best = best
            nodes[node].previous = previous
        }
    }

    /// The nodes of the best path, once `findBestPaths` has run.
    var bestPath: [Int] {
        var path: [Int] = []
        var node = Int(nodes[Self.endNode].previous)
        while node > Self.startNode {
            path.append(node)
            node = Int(nodes[node].previous)
        }
        return path.reversed()
    }

    /// For each node the logarithm of the summed weights of all ways from the start to before it, scores scaled.
    private func forwardSums(smoothing: Float) -> [Float] {
        var sums = [Float](repeating: 0, count: nodes.count)
        for node in inOrder {
            for (index, left) in nodes(before: node).enumerated() {
                let term = smoothing * nodes[Int(left)].score + sums[Int(left)]
                sums[node] = index == 0 ? term : logarithmOfSum(sums[node], term)
            }
        }
        return sums
    }

    /// A path drawn with a probability that grows with its score: exp(smoothing · score), over the sum of all.
    func samplePath(smoothing: Float, using generator: inout some RandomNumberGenerator) -> [Int] {
        let sums = forwardSums(smoothing: smoothing)
        var path: [Int] = []
        var node = Self.endNode
        while true {
            let candidates = nodes(before: node)
            let weights = candidates.map { left in
                exp(Double(sums[Int(left)] + smoothing * nodes[Int(left)].score - sums[node]))
            }
            node = Int(candidates[candidates.startIndex + draw(weights, using: &generator)])
            if node == Self.startNode { return path.reversed() }
            path.append(node)
        }
    }
}

/// log(exp(a) + exp(b)), rounded to single precision.
private func logarithmOfSum(_ left: Float, _ right: Float) -> Float {
    let (low, high) = (min(left, right), max(left, right))
    // Beyond this the smaller term is below what a double resolves beside the larger.
    if high > low + 50 { return high }
    return Float(Double(high) + log1p(exp(Double(low - high))))
}

/// A position drawn with the given weights; weights that are no numbers count nothing.
func draw(_ weights: [Double], using generator: inout some RandomNumberGenerator) -> Int {
    let usable = weights.map { $0.isFinite && $0 > 0 ? $0 : 0 }
    let total = usable.reduce(0, +)
    if !(total > 0) || !total.isFinite { return 0 }
    var rest = generator.unit() * total
    for (index, weight) in usable.enumerated() where weight > 0 {
        if rest < weight { return index }
        rest -= weight
    }
    // Rounding has left a rest: the last that can be drawn.
    return usable.lastIndex { $0 > 0 } ?? 0
}
