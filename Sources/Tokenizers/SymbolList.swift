/// The symbols of a text or segment as a linked list, merged from a queue.
struct SymbolList {
    private var nodes: [Node] = []

    private struct Node {
        var number: Int32
        var start: Int32
        var end: Int32
        /// Indices of the neighbours; negative: none. `next` of a node that was merged away is `gone`.
        var previous: Int32
        var next: Int32
    }

    private static let gone: Int32 = -2

    /// - Parameter starts: holds one more than `count`, the last symbol's end.
    init(symbols: UnsafePointer<Int32>, starts: UnsafePointer<Int32>, count: Int) {
        nodes.reserveCapacity(count)
        for index in 0..<count {
            nodes.append(
                Node(
                    number: symbols[index], start: starts[index], end: starts[index + 1], previous: Int32(index - 1),
                    next: index + 1 < count ? Int32(index + 1) : -1))
        }
    }

    func number(_ index: Int) -> Int32 { nodes[index].number }
    func start(of index: Int) -> Int32 { nodes[index].start }
    func end(of index: Int) -> Int32 { nodes[index].end }

    func next(_ index: Int) -> Int? {
        let next = nodes[index].next
        return next < 0 ? nil : Int(next)
    }

    func previous(_ index: Int) -> Int? {
        let previous = nodes[index].previous
        return previous < 0 ? nil : Int(previous)
    }

    /// Whether both symbols of an entry still stand as they did when it was made.
    func isCurrent(_ entry: MergeAgenda.Entry) -> Bool {
        // A symbol only ever grows to the right: the same left symbol and the same end mean the same two symbols.
        guard nodes[entry.left].next != Self.gone, let right = next(entry.left) else { return false }
        return nodes[right].end == entry.end
    }

    /// Merges an entry's symbols, unless one of them has changed; says where the new symbol stands.
    mutating func merge(_ entry: MergeAgenda.Entry) -> (index: Int, previous: Int?, next: Int?)? {
        guard isCurrent(entry), let right = next(entry.left) else { return nil }
        let left = entry.left
        nodes[left].number = entry.symbol
        nodes[left].end = entry.end
        nodes[left].next = nodes[right].next
        if let after = next(right) { nodes[after].previous = Int32(left) }
        nodes[right].next = Self.gone
        return (left, previous(left), next(left))
    }

    /// Writes the symbols that are left and their starts one after the other; says how many.
    func compact(into symbols: UnsafeMutablePointer<Int32>, _ starts: UnsafeMutablePointer<Int32>) -> Int {
        var count = 0
        var index: Int? = nodes.isEmpty ? nil : 0
        while let current = index {
            symbols[count] = nodes[current].number
            starts[count] = nodes[current].start
            count += 1
            index = next(current)
        }
        return count
    }
}
