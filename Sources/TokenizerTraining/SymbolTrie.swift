/// Pieces by their characters: a trie whose edges lie in one hash table.
struct SymbolTrie: Sendable {
    /// Below the root by symbol; negative if there is no such edge.
    private var roots: [Int32]
    /// Node and symbol of each edge; `.max` where a slot is free.
    private var keys: [UInt64]
    private var nodes: [Int32]
    private var edgeCount = 0
    /// The piece that ends at each node; negative if none.
    private var pieceOfNode: [Int32] = []

    init(_ pieces: ScoredPieces, symbols: Int) {
        roots = [Int32](repeating: -1, count: symbols)
        keys = [UInt64](repeating: .max, count: 1 << 12)
        nodes = [Int32](repeating: -1, count: 1 << 12)
        for piece in 0..<pieces.count { insert(pieces[piece], Int32(piece)) }
    }

    private mutating func insert(_ piece: ArraySlice<Int32>, _ number: Int32) {
        guard let first = piece.first else { return }
        if roots[Int(first)] < 0 { roots[Int(first)] = newNode() }
        var node = roots[Int(first)]
        for symbol in piece.dropFirst() { node = child(of: node, symbol) }
        pieceOfNode[Int(node)] = number
    }

    private mutating func newNode() -> Int32 {
        pieceOfNode.append(-1)
        return Int32(pieceOfNode.count - 1)
    }

    private mutating func child(of node: Int32, _ symbol: Int32) -> Int32 {
        if edgeCount * 2 >= keys.count { grow() }
        let key = Self.key(node, symbol)
        var slot = Self.slot(key, mask: keys.count - 1)
        while keys[slot] != key {
            if keys[slot] == .max {
                keys[slot] = key
                nodes[slot] = newNode()
                edgeCount += 1
                break
            }
            slot = (slot + 1) & (keys.count - 1)
        }
        return nodes[slot]
    }

    private mutating func grow() {
        let (oldKeys, oldNodes) = (keys, nodes)
        keys = [UInt64](repeating: .max, count: oldKeys.count * 2)
        nodes = [Int32](repeating: -1, count: oldKeys.count * 2)
        for (key, node) in zip(oldKeys, oldNodes) where key != .max {
            var slot = Self.slot(key, mask: keys.count - 1)
            while keys[slot] != .max { slot = (slot + 1) & (keys.count - 1) }
            keys[slot] = key
            nodes[slot] = node
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
        var node = roots[Int(first)]
        var index = 1
        while node >= 0 {
            let piece = pieceOfNode[Int(node)]
            if piece >= 0 { body(piece) }
            if index == text.count { return }
            node = find(node, text[index])
            index += 1
        }
    }

    @inline(__always)
    private func find(_ node: Int32, _ symbol: Int32) -> Int32 {
        let key = Self.key(node, symbol)
        return keys.withUnsafeBufferPointer { keys in
            let mask = keys.count - 1
            var slot = Self.slot(key, mask: mask)
            while keys[slot] != key {
                if keys[slot] == .max { return -1 }
                slot = (slot + 1) & mask
            }
            return nodes[slot]
        }
    }
}
