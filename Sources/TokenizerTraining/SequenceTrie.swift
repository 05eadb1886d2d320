/// A map from sequences of code points to numbers, which finds the longest key that a text begins with.
struct SequenceTrie {
    /// Edges by node and code point, with open addressing and linear probing; zero for an empty slot.
    private var edges: [UInt64]
    private var children: [Int32]
    private var edgeCount = 0
    /// For each node the value of the key that ends there, or -1. Node 0 is the root.
    private var values: [Int32] = [-1]

    /// - Parameter minimumCapacity: how many code points of distinct prefixes to make room for.
    init(minimumCapacity: Int = 0) {
        var size = 1024
        while size < minimumCapacity * 2 { size *= 2 }
        edges = [UInt64](repeating: 0, count: size)
        children = [Int32](repeating: 0, count: size)
    }

    /// The value of `key`, which becomes `value` if it has none.
    @discardableResult
    mutating func insert(_ key: some Sequence<UInt32>, value: Int32) -> Int32 {
        var node: Int32 = 0
        for scalar in key { node = childMakingOne(of: node, scalar) }
        if values[Int(node)] < 0 { values[Int(node)] = value }
        return values[Int(node)]
    }

    /// The longest key of at most `limit` code points with which `text` goes on at `start`.
    func longestPrefix(of text: ArraySlice<UInt32>, from start: Int, limit: Int) -> (value: Int32, length: Int)? {
        var node: Int32 = 0
        var result: (value: Int32, length: Int)?
        for index in start..<min(text.endIndex, start + limit) {
            let slot = slot(node, text[index])
            if edges[slot] == 0 { break }
            node = children[slot]
            if values[Int(node)] >= 0 { result = (values[Int(node)], index + 1 - start) }
        }
        return result
    }

    private mutating func childMakingOne(of node: Int32, _ scalar: UInt32) -> Int32 {
        let slot = slot(node, scalar)
        if edges[slot] != 0 { return children[slot] }
        let child = Int32(values.count)
        values.append(-1)
        edges[slot] = Self.edge(node, scalar)
        children[slot] = child
        edgeCount += 1
        if edgeCount * 2 > edges.count { grow() }
        return child
    }

    /// Never zero, since no key has a NUL.
    @inline(__always)
    private static func edge(_ node: Int32, _ scalar: UInt32) -> UInt64 {
        UInt64(UInt32(bitPattern: node)) << 21 | UInt64(scalar)
    }

    /// Where the edge is, or else the empty slot for it.
    @inline(__always)
    private func slot(_ node: Int32, _ scalar: UInt32) -> Int {
        let edge = Self.edge(node, scalar)
        let mask = edges.count - 1
        var slot = Int(truncatingIfNeeded: (edge &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
        while edges[slot] != 0, edges[slot] != edge { slot = (slot + 1) & mask }
        return slot
    }

    private mutating func grow() {
        let old = zip(edges, children)
        edges = [UInt64](repeating: 0, count: edges.count * 2)
        children = [Int32](repeating: 0, count: edges.count)
        for (edge, child) in old where edge != 0 {
            let slot = slot(Int32(truncatingIfNeeded: edge >> 21), UInt32(edge & 0x1F_FFFF))
            edges[slot] = edge
            children[slot] = child
        }
    }
}
