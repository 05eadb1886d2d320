extension DoubleArrayTrie {
    /// A trie of distinct, non-empty keys without NUL; a key's value is its position in `keys`.
    package init(keys: [[UInt8]]) {
        self.init(sorting: keys.enumerated().map { ($0.element, UInt32($0.offset)) })
    }

    /// A trie of distinct, non-empty keys without NUL in any order, each with a value below 2^31.
    package init(sorting entries: [(key: [UInt8], value: UInt32)]) {
        let ordered = entries.sorted { $0.key.lexicographicallyPrecedes($1.key) }
        self.init(sortedKeys: ordered.map(\.key), values: ordered.map(\.value))
    }

    /// A trie of distinct keys in ascending byte order, each with a value below 2^31.
    package init(sortedKeys keys: [[UInt8]], values: [UInt32]) {
        precondition(keys.count == values.count, "each key needs a value")
        var builder = DoubleArrayBuilder(graph: WordGraph(keys: keys, values: values))
        self.init(units: builder.build())
    }
}

/// Lays a word graph out in a double array, place by place as darts-clone 0.32 does, so that the same rules give the
/// same bytes.
private struct DoubleArrayBuilder {
    private let graph: WordGraph
    private var units: [UInt32] = []
    private var extras = [Extra](repeating: Extra(), count: DoubleArrayBuilder.window)
    /// The first id that is not fixed yet; `units.count` if none is left.
    private var head = 0
    /// The offset at which each shared state of the graph was laid, by its first unit.
    private var laidOffsets: [Int: UInt32] = [:]

    private static let blockSize = 256
    /// Only the last 16 blocks are searched for free places.
    private static let blocks = 16
    private static let window = blockSize * blocks

    /// What is known of an id in the window.
    private struct Extra {
        var previous = 0
        var next = 0
        var isFixed = false
        var isUsed = false
    }

    init(graph: WordGraph) {
        self.graph = graph
    }

    mutating func build() -> [UInt32] {
        reserve(0)
        extras[0].isUsed = true
        setOffset(of: 0, to: 1)
        if graph.firstChild(of: 0) != 0 { placeAll(below: 0, at: 0) }
        closeAllBlocks()
        return units
    }

    private func slot(_ id: Int) -> Int { id % Self.window }

    // MARK: Units

    private mutating func setOffset(of id: Int, to offset: Int) {
        let kept = units[id] & (1 << 31 | 1 << 8 | 0xFF)
        if offset < 1 << 21 {
            units[id] = kept | UInt32(offset) << 10
        } else {
            units[id] = kept | UInt32(offset) << 2 | 1 << 9
        }
    }

    // MARK: Placing

    /// Lays out the graph below `root`, depth first; with a stack of its own, since keys may be long.
    private mutating func placeAll(below root: Int, at id: Int) {
        var pending: [(child: Int, offset: Int)] = []
        if let first = place(node: root, at: id) { pending.append(first) }
        while let (child, offset) = pending.popLast() {
            let sibling = graph.sibling(of: child)
            if sibling != 0 { pending.append((sibling, offset)) }
            let label = graph.label(of: child)
            if label != 0, let below = place(node: child, at: offset ^ Int(label)) { pending.append(below) }
        }
    }

    /// Places the children of `node`; nil if they share what was laid before.
    private mutating func place(node: Int, at id: Int) -> (child: Int, offset: Int)? {
        let child = graph.firstChild(of: node)
        let isShared = graph.isIntersection(child)
        if isShared, let laid = laidOffsets[child] {
            let offset = Int(laid) ^ id
            if offset & 0x1FE0_0000 == 0 || offset & 0xFF == 0 {
                if graph.isLeaf(child) { units[id] |= 1 << 8 }
                setOffset(of: id, to: offset)
                return nil
            }
        }
        let offset = arrange(node: node, at: id)
        if isShared { laidOffsets[child] = UInt32(offset) }
        return (child, offset)
    }

    /// Finds a place for the children of `node` and reserves it.
    private mutating func arrange(node: Int, at id: Int) -> Int {
        var labels: [UInt8] = []
        var child = graph.firstChild(of: node)
        while child != 0 {
            labels.append(graph.label(of: child))
            child = graph.sibling(of: child)
        }
        let offset = findOffset(for: labels, at: id)
        setOffset(of: id, to: id ^ offset)
        child = graph.firstChild(of: node)
        for label in labels {
            let place = offset ^ Int(label)
            reserve(place)
            if graph.isLeaf(child) {
                units[id] |= 1 << 8
                units[place] = graph.value(of: child) | 1 << 31
            } else {
                units[place] = units[place] & ~0xFF | UInt32(label)
            }
            child = graph.sibling(of: child)
        }
        extras[slot(offset)].isUsed = true
        return offset
    }

    private func findOffset(for labels: [UInt8], at id: Int) -> Int {
        if head >= units.count { return units.count | id & 0xFF }
        var free = head
        repeat {
            let offset = free ^ Int(labels[0])
            if isValid(offset, for: labels, at: id) { return offset }
            free = extras[slot(free)].next
        } while free != head
        return units.count | id & 0xFF
    }

    private func isValid(_ offset: Int, for labels: [UInt8], at id: Int) -> Bool {
        if extras[slot(offset)].isUsed { return false }
        let relative = id ^ offset
        if relative & 0xFF != 0, relative & 0x1FE0_0000 != 0 { return false }
        return labels.dropFirst().allSatisfy { !extras[slot(offset ^ Int($0))].isFixed }
    }

    // MARK: The list of free places

    private mutating func reserve(_ id: Int) {
        if id >= units.count { addBlock() }
        if id == head {
            head = extras[slot(id)].next
            if head == id { head = units.count }
        }
        let extra = extras[slot(id)]
        extras[slot(extra.previous)].next = extra.next
        extras[slot(extra.next)].previous = extra.previous
        extras[slot(id)].isFixed = true
    }

    private mutating func addBlock() {
        let start = units.count
        let end = start + Self.blockSize
        let blockCount = start / Self.blockSize
        if blockCount >= Self.blocks { closeBlock(blockCount - Self.blocks) }
        units.append(contentsOf: repeatElement(0, count: Self.blockSize))
        for id in start..<end { extras[slot(id)] = Extra(previous: id - 1, next: id + 1) }
        extras[slot(start)].previous = end - 1
        extras[slot(end - 1)].next = start
        // The new ring is spliced in before the head of the old one.
        let tail = extras[slot(head)].previous
        if head < start {
            extras[slot(start)].previous = tail
            extras[slot(end - 1)].next = head
            extras[slot(tail)].next = start
            extras[slot(head)].previous = end - 1
        } else {
            head = start
        }
    }

    private mutating func closeAllBlocks() {
        let blockCount = units.count / Self.blockSize
        for block in max(0, blockCount - Self.blocks)..<blockCount { closeBlock(block) }
    }

    /// Marks what is left free in a block so that no walk can enter it.
    private mutating func closeBlock(_ block: Int) {
        let start = block * Self.blockSize
        let range = start..<start + Self.blockSize
        let unused = range.first { !extras[slot($0)].isUsed } ?? 0
        for id in range where !extras[slot(id)].isFixed {
            reserve(id)
            units[id] = units[id] & ~0xFF | UInt32((id ^ unused) & 0xFF)
        }
    }
}
