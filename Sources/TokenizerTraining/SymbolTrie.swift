/// Pieces by their characters: a trie whose edges lie in one hash table, all that a step needs side by side.
struct SymbolTrie: Sendable {
    /// Where a symbol leads to, and the piece that ends there; negative if none.
    private struct Edge {
        var node: Int32 = -1
        var piece: Int32 = -1
    }

    /// Below the root, by symbol.
    private var roots: [Edge]
    /// Below other nodes, by node and symbol.
    private var edges = PairTable(placeholder: Edge())
    private var nodeCount: Int32 = 0

    init(_ pieces: ScoredPieces, symbols: Int) {
        roots = [Edge](repeating: Edge(), count: symbols)
        for piece in 0..<pieces.count { insert(pieces[piece], Int32(piece)) }
    }

    private mutating func insert(_ piece: ArraySlice<Int32>, _ number: Int32) {
        guard let first = piece.first.map({ Int($0) }) else { return }
        if roots[first].node < 0 { roots[first].node = newNode() }
        if piece.count == 1 {
            roots[first].piece = number
            return
        }
        var node = roots[first].node
        for symbol in piece.dropFirst().dropLast() { node = updateEdge(node, symbol) { $0.node } }
        updateEdge(node, piece[piece.endIndex - 1]) { $0.piece = number }
    }

    private mutating func newNode() -> Int32 {
        nodeCount += 1
        return nodeCount - 1
    }

    private mutating func updateEdge<Result>(_ node: Int32, _ symbol: Int32, _ body: (inout Edge) -> Result) -> Result {
        let new = nodeCount
        return edges.update(node, symbol, initial: Edge(node: new)) { edge in
            if edge.node == new { nodeCount += 1 }
            return body(&edge)
        }
    }

    /// Calls `body` for each piece that `text` begins with, the shortest first.
    @inline(__always)
    func forEachPrefix(of text: UnsafeBufferPointer<Int32>, _ body: (Int32) -> Void) {
        guard let first = text.first else { return }
        var edge = roots[Int(first)]
        var index = 1
        while edge.node >= 0 {
            if edge.piece >= 0 { body(edge.piece) }
            guard index < text.count, let next = edges[edge.node, text[index]] else { return }
            edge = next
            index += 1
        }
    }
}
