extension Lattice {
    /// The best paths, best first, by A* from the text's end: at most `count`, equal ones in sentencepiece's order.
    ///
    /// A text with too many paths is given up as sentencepiece gives it up: only its best path is returned then.
    package mutating func bestPaths(_ count: Int) -> [(path: [Int], score: Float)] {
        findBestPaths()
        var search = PathSearch(self, count: count)
        if let found = search.run() { return found }
        return [(bestPath, nodes[Self.endNode].best)]
    }
}

/// The search for the best paths of a lattice.
private struct PathSearch {
    private let lattice: Lattice
    private let wanted: Int
    private var partials: [PartialPath] = []
    private var agenda = PathAgenda()
    private var shrinkings = 0
    /// Partial paths that are in use since the agenda was last shrunk, and how many call for the next time.
    private var kept = 0
    private var keptLimit = 100_000

    private static let largestAgenda = 10_000
    private static let mostPartials = 500_000
    private static let mostShrinkings = 10

    /// A path from some node to the text's end.
    private struct PartialPath {
        var node: Int32
        /// The partial path after the first node; negative: none.
        var rest: Int32
        /// The scores of all nodes.
        var score: Float
    }

    init(_ lattice: Lattice, count: Int) {
        self.lattice = lattice
        wanted = count
    }

    /// The paths found; nil if there are too many to search.
    mutating func run() -> [(path: [Int], score: Float)]? {
        var found: [(path: [Int], score: Float)] = []
        add(Lattice.endNode, rest: -1, score: 0, priority: lattice.nodes[Lattice.endNode].best)
        while let top = agenda.pop() {
            let partial = partials[Int(top.partial)]
            if Int(partial.node) == Lattice.startNode {
                found.append((path(after: partial), top.priority))
                if found.count == wanted { break }
                continue
            }
            for left in lattice.nodes(before: Int(partial.node)) {
                let node = lattice.nodes[Int(left)]
                add(
                    Int(left), rest: top.partial, score: node.score + partial.score, priority: node.best + partial.score
                )
            }
            if partials.count >= Self.mostPartials { return nil }
            if !shrinkIfNeeded() { return nil }
        }
        return found
    }

    private mutating func add(_ node: Int, rest: Int32, score: Float, priority: Float) {
        agenda.push(.init(priority: priority, partial: Int32(partials.count)))
        partials.append(PartialPath(node: Int32(node), rest: rest, score: score))
        kept += 1
    }

    /// Without the text's end, the last node.
    private func path(after partial: PartialPath) -> [Int] {
        var path: [Int] = []
        var next = partial.rest
        while next >= 0, partials[Int(next)].rest >= 0 {
            path.append(Int(partials[Int(next)].node))
            next = partials[Int(next)].rest
        }
        return path
    }

    /// Keeps the best of an agenda that has grown too large; false if that has happened too often.
    private mutating func shrinkIfNeeded() -> Bool {
        let smallest = min(512, wanted * 10)
        guard agenda.count >= Self.largestAgenda || (agenda.count > smallest && kept >= keptLimit) else { return true }
        if shrinkings >= Self.mostShrinkings { return false }
        shrinkings += 1
        var smaller = PathAgenda()
        var inUse = Set<Int32>()
        for _ in 0..<min(agenda.count, smallest) {
            guard let top = agenda.pop() else { break }
            smaller.push(top)
            var next = top.partial
            while next >= 0, inUse.insert(next).inserted { next = partials[Int(next)].rest }
        }
        agenda = smaller
        kept = inUse.count
        keptLimit = kept + 100_000
        return true
    }
}

/// A binary heap that moves its entries exactly as C++'s priority_queue does, so that equal ones come out alike.
struct PathAgenda {
    struct Entry {
        var priority: Float
        var partial: Int32
    }

    private var entries: [Entry] = []

    var count: Int { entries.count }

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        rise(entry, from: entries.count - 1)
    }

    private mutating func rise(_ entry: Entry, from start: Int) {
        var hole = start
        while hole > 0, entries[(hole - 1) / 2].priority < entry.priority {
            entries[hole] = entries[(hole - 1) / 2]
            hole = (hole - 1) / 2
        }
        entries[hole] = entry
    }

    mutating func pop() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let top = entries.first else { return last }
        let count = entries.count
        // The hole sinks to the bottom along the larger children, then the last entry rises from there.
        var hole = 0
        var child = 0
        while child < (count - 1) / 2 {
            child = 2 * (child + 1)
            if entries[child].priority < entries[child - 1].priority { child -= 1 }
            entries[hole] = entries[child]
            hole = child
        }
        if count % 2 == 0, child == (count - 2) / 2 {
            child = 2 * (child + 1)
            entries[hole] = entries[child - 1]
            hole = child - 1
        }
        rise(last, from: hole)
        return top
    }
}
