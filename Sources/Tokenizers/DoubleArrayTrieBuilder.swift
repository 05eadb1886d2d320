extension DoubleArrayTrie {
    /// A trie of distinct, non-empty keys without NUL; a key's value is its position in `keys`.
    package init(keys: [[UInt8]]) {
        self.init(sorting: keys.enumerated().map { ($0.element, UInt32($0.offset)) })
    }

    /// A trie of distinct, non-empty keys without NUL in any order, each with a value below 2^31.
    package init(sorting entries: [(key: [UInt8], value: UInt32)]) {
        var keys = SortedKeys()
        for entry in entries.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            keys.append(entry.key, value: entry.value)
        }
        self.init(keys)
    }

    /// A trie of distinct keys in ascending byte order.
    package init(_ keys: SortedKeys) {
        var builder = DoubleArrayBuilder(graph: WordGraph(keys))
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
    /// The offset at which each shared state of the graph was laid, by its first unit; zero before that.
    private var laidOffsets: [UInt32]
    /// The labels of the children that are being placed.
    private var labels: [UInt8] = []

    private static let blockSize = 256
    /// Only the last 16 blocks are searched for free places.
    private static let blocks = 16
    private static let window = blockSize * blocks

    /// What is known of an id in the window.
    private struct Extra {
        var previous: UInt32 = 0
        var next: UInt32 = 0
        var isFixed = false
        var isUsed = false
    }

    init(graph: WordGraph) {
        self.graph = graph
        laidOffsets = [UInt32](repeating: 0, count: graph.unitCount)
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
        if isShared, laidOffsets[child] != 0 {
            let offset = Int(laidOffsets[child]) ^ id
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
        labels.removeAll(keepingCapacity: true)
        var child = graph.firstChild(of: node)
        while child != 0 {
            labels.append(graph.label(of: child))
            child = graph.sibling(of: child)
        }
        let offset = findOffset(at: id)
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

    private func findOffset(at id: Int) -> Int {
        if head >= units.count { return units.count | id & 0xFF }
        var free = head
        repeat {
            let offset = free ^ Int(labels[0])
            if isValid(offset, at: id) { return offset }
            free = Int(extras[slot(free)].next)
        } while free != head
        return units.count | id & 0xFF
    }

    @inline(__always)
    private func isValid(_ offset: Int, at id: Int) -> Bool {
        if extras[slot(offset)].isUsed { return false }
        let relative = id ^ offset
        if relative & 0xFF != 0, relative & 0x1FE0_0000 != 0 { return false }
        for index in 1..<labels.count where extras[slot(offset ^ Int(labels[index]))].isFixed { return false }
        return true
    }

    // MARK: The list of free places

    private mutating func reserve(_ id: Int) {
        if id >= units.count { addBlock() }
        let extra = extras[slot(id)]
        if id == head {
            head = Int(extra.next)
            if head == id { head = units.count }
        }
        extras[slot(Int(extra.previous))].next = extra.next
        extras[slot(Int(extra.next))].previous = extra.previous
        extras[slot(id)].isFixed = true
    }

    /// Adds 256 free places, at the tail of the list.
    private mutating func addBlock() {
        let start = units.count
        let end = start + Self.blockSize
        let blockCount = start / Self.blockSize
        if blockCount >= Self.blocks { closeBlock(blockCount - Self.blocks) }
        units.append(contentsOf: repeatElement(0, count: Self.blockSize))
        for id in start..<end { extras[slot(id)] = Extra(previous: UInt32(max(id, 1) - 1), next: UInt32(id + 1)) }
        // With no free place left, the new block is the whole ring.
        let isAlone = head >= start || start == 0
        if isAlone { head = start }
        let tail = isAlone ? end - 1 : Int(extras[slot(head)].previous)
        extras[slot(start)].previous = UInt32(tail)
        extras[slot(tail)].next = UInt32(start)
        extras[slot(end - 1)].next = UInt32(head)
        extras[slot(head)].previous = UInt32(end - 1)
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
