/// A minimal acyclic word graph over sorted keys: equal tails are stored once.
///
/// A state is a run of units, one for each child in ascending label order. The child with label 0 ends a key and
/// carries its value. Unit 0 is the root.
struct WordGraph {
    /// child << 2 | isState << 1 | hasSibling; for label 0: value << 1 | hasSibling.
    private var units: [UInt32] = []
    private var labels: [UInt8] = []
    /// Units that begin a state which more than one unit leads to.
    private var intersections: Set<Int> = []

    func firstChild(of unit: Int) -> Int { Int(units[unit] >> 2) }
    func sibling(of unit: Int) -> Int { units[unit] & 1 == 1 ? unit + 1 : 0 }
    func label(of unit: Int) -> UInt8 { labels[unit] }
    func isLeaf(_ unit: Int) -> Bool { labels[unit] == 0 }
    func value(of unit: Int) -> UInt32 { units[unit] >> 1 }
    func isIntersection(_ unit: Int) -> Bool { intersections.contains(unit) }

    /// A node that may still get children.
    private struct Node {
        var label: UInt8
        /// The unit of the first child once that state is stored, or a leaf's value.
        var child: UInt32 = 0
        var isState = false
        var hasSibling = false

        var unit: UInt32 {
            label == 0
                ? child << 1 | (hasSibling ? 1 : 0) : child << 2 | (isState ? 2 : 0) | (hasSibling ? 1 : 0)
        }
    }

    /// The run of open siblings at each depth of the latest key.
    private var open: [[Node]] = [[]]
    private var stored: [StateKey: Int] = [:]

    private struct StateKey: Hashable {
        var units: [UInt32]
        var labels: [UInt8]
    }

    init(keys: [[UInt8]], values: [UInt32]) {
        units.append(0)
        labels.append(0xFF)
        var previous: [UInt8] = []
        for (key, value) in zip(keys, values) {
            let terminated = key + [0]
            var shared = 0
            while shared < previous.count, previous[shared] == terminated[shared] { shared += 1 }
            if shared == terminated.count { continue }
            close(below: shared)
            extend(terminated[shared...], value: value, depth: shared)
            previous = terminated
        }
        close(below: 0)
        if !open[0].isEmpty {
            units[0] = UInt32(store(open[0])) << 2
        }
        open = []
        stored = [:]
    }

    /// Opens new nodes for the rest of a key.
    private mutating func extend(_ rest: ArraySlice<UInt8>, value: UInt32, depth: Int) {
        if let last = open[depth].indices.last { open[depth][last].hasSibling = true }
        for (offset, label) in rest.enumerated() {
            let level = depth + offset
            if level == open.count { open.append([]) }
            // The first child of a node marks the beginning of a state.
            open[level].append(Node(label: label, child: label == 0 ? value : 0, isState: open[level].isEmpty))
        }
    }

    /// Stores all states deeper than `depth`, the deepest first.
    private mutating func close(below depth: Int) {
        while open.count > depth + 1 {
            let siblings = open.removeLast()
            if siblings.isEmpty { continue }
            let start = store(siblings)
            guard let last = open[open.count - 1].indices.last else { continue }
            open[open.count - 1][last].child = UInt32(start)
        }
    }

    private mutating func store(_ siblings: [Node]) -> Int {
        let key = StateKey(units: siblings.map(\.unit), labels: siblings.map(\.label))
        if let found = stored[key] {
            intersections.insert(found)
            return found
        }
        let start = units.count
        units.append(contentsOf: key.units)
        labels.append(contentsOf: key.labels)
        stored[key] = start
        return start
    }
}
