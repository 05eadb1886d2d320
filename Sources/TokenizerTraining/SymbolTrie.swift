/// Pieces by their characters: a trie whose edges lie in one hash table, all that a step needs side by side.
struct SymbolTrie: Sendable {
    /// An edge: from which node by which symbol, to which node, and the piece that ends there (negative if none).
    private struct Edge {
        var key = UInt64.max
        var node: Int32 = -1
        var piece: Int32 = -1
    }

    /// Below the root, by symbol.
    private var roots: [Edge]
    /// Open addressing; `key` is `.max` where a slot is free.
    private var edges: [Edge]
    private var edgeCount = 0
    private var nodeCount: Int32 = 0

    init(_ pieces: ScoredPieces, symbols: Int) {
        roots = [Edge](repeating: Edge(), count: symbols)
        edges = [Edge](repeating: Edge(), count: 1 << 12)
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
        for symbol in piece.dropFirst().dropLast() { node = edges[slot(of: node, symbol)].node }
        edges[slot(of: node, piece[piece.endIndex - 1])].piece = number
    }

    private mutating func newNode() -> Int32 {
        nodeCount += 1
        return nodeCount - 1
    }

    /// The edge's slot, where one is made if need be.
    private mutating func slot(of node: Int32, _ symbol: Int32) -> Int {
        if edgeCount * 3 >= edges.count * 2 { grow() }
        let key = Self.key(node, symbol)
        var slot = Self.slot(key, mask: edges.count - 1)
        while edges[slot].key != key {
            if edges[slot].key == .max {
                edges[slot] = Edge(key: key, node: newNode())
                edgeCount += 1
                break
            }
            slot = (slot + 1) & (edges.count - 1)
        }
        return slot
    }

    private mutating func grow() {
        let old = edges
        edges = [Edge](repeating: Edge(), count: old.count * 2)
        for edge in old where edge.key != .max {
            var slot = Self.slot(edge.key, mask: edges.count - 1)
            while edges[slot].key != .max { slot = (slot + 1) & (edges.count - 1) }
            edges[slot] = edge
        }
    }

    @inline(__always)
    private static func key(_ node: Int32, _ symbol: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 32 | UInt64(UInt32(bitPattern: symbol))
    }

    @inline(__always)
    private static func slot(_ key: UInt64, mask: Int) -> Int {
        Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
    }

    /// Calls `body` for each piece that `text` begins with, the shortest first.
    @inline(__always)
    func forEachPrefix(of text: UnsafeBufferPointer<Int32>, _ body: (Int32) -> Void) {
        guard let first = text.first else { return }
        var edge = roots[Int(first)]
        edges.withUnsafeBufferPointer { edges in
            let mask = edges.count - 1
            var index = 1
            while edge.node >= 0 {
                if edge.piece >= 0 { body(edge.piece) }
                if index == text.count { return }
                let key = Self.key(edge.node, text[index])
                var slot = Self.slot(key, mask: mask)
                while edges[slot].key != key {
                    if edges[slot].key == .max { return }
                    slot = (slot + 1) & mask
                }
                edge = edges[slot]
                index += 1
            }
        }
    }
}
