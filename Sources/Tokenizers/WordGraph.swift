/// A minimal acyclic word graph over sorted keys: equal tails are stored once.
///
/// A state is a run of units, one for each child in ascending label order. The child with label 0 ends a key and
/// carries its value. Unit 0 is the root.
struct WordGraph {
    /// child << 2 | isState << 1 | hasSibling; for label 0: value << 1 | hasSibling.
    private var units: [UInt32] = [0]
    private var labels: [UInt8] = [0xFF]
    /// Does the unit begin a state which more than one unit leads to?
    private var intersections: [Bool] = [false]

    private static let hasSibling: UInt32 = 1
    private static let isState: UInt32 = 2

    var unitCount: Int { units.count }
    func firstChild(of unit: Int) -> Int { Int(units[unit] >> 2) }
    func sibling(of unit: Int) -> Int { units[unit] & Self.hasSibling != 0 ? unit + 1 : 0 }
    func label(of unit: Int) -> UInt8 { labels[unit] }
    func isLeaf(_ unit: Int) -> Bool { labels[unit] == 0 }
    func value(of unit: Int) -> UInt32 { units[unit] >> 1 }
    func isIntersection(_ unit: Int) -> Bool { intersections[unit] }

    init(_ keys: SortedKeys) {
        var open = OpenStates()
        var stored = StateTable()
        var previous = 0..<0
        for index in 0..<keys.count {
            let key = keys.range(of: index)
            var shared = 0
            while shared < key.count, shared < previous.count,
                keys.bytes[previous.lowerBound + shared] == keys.bytes[key.lowerBound + shared]
            {
                shared += 1
            }
            if shared == key.count, shared == previous.count { continue }
            close(&open, below: shared, &stored)
            open.extend(keys.bytes[key].dropFirst(shared), value: keys.values[index], depth: shared)
            previous = key
        }
        if keys.count == 0 { return }
        close(&open, below: 0, &stored)
        let first = store(open.popDeepest(), of: open, &stored)
        units[0] = UInt32(first) << 2
    }

    /// Stores all states deeper than `depth`, the deepest first.
    private mutating func close(_ open: inout OpenStates, below depth: Int, _ stored: inout StateTable) {
        while open.depth > depth {
            let run = open.popDeepest()
            let start = store(run, of: open, &stored)
            open.closeDeepest(run, child: start)
        }
    }

    /// The first unit of the state with these units, which is stored unless an equal one is there.
    private mutating func store(_ run: Range<Int>, of open: OpenStates, _ stored: inout StateTable) -> Int {
        if stored.isCrowded { stored.grow { start in hash(ofStateAt: start) } }
        var slot = stored.firstSlot(open.hash(run))
        while let start = stored[slot] {
            if isState(at: start, equalTo: run, of: open) {
                intersections[start] = true
                return start
            }
            slot = stored.next(slot)
        }
        let start = units.count
        units.append(contentsOf: open.units[run])
        labels.append(contentsOf: open.labels[run])
        intersections.append(contentsOf: repeatElement(false, count: run.count))
        stored.insert(start, at: slot)
        return start
    }

    /// A run's last unit is the only one without a sibling, so that equal units mean equal lengths.
    private func isState(at start: Int, equalTo run: Range<Int>, of open: OpenStates) -> Bool {
        for (offset, index) in run.enumerated() {
            if units[start + offset] != open.units[index] || labels[start + offset] != open.labels[index] {
                return false
            }
        }
        return true
    }

    private func hash(ofStateAt start: Int) -> UInt32 {
        var state: UInt32 = 0
        var unit = start
        while true {
            state = mixed(state, units[unit], labels[unit])
            if units[unit] & Self.hasSibling == 0 { return state }
            unit += 1
        }
    }

    /// The states along the latest key, which may still get children: a run of units at each depth.
    private struct OpenStates {
        /// The units as they will be stored; the last of each run lacks its child.
        private(set) var units: [UInt32] = []
        private(set) var labels: [UInt8] = []
        /// Where the run at each depth begins.
        private var starts: [Int] = []

        var depth: Int { starts.count - 1 }

        /// Opens units for the rest of a key and its end; the states below `depth` are closed.
        mutating func extend(_ rest: ArraySlice<UInt8>, value: UInt32, depth: Int) {
            var isFirst = depth == starts.count
            if !isFirst { units[units.count - 1] |= WordGraph.hasSibling }
            for label in rest {
                append(isFirst ? WordGraph.isState : 0, label, beginsRun: isFirst)
                isFirst = true
            }
            append(value << 1, 0, beginsRun: isFirst)
        }

        private mutating func append(_ unit: UInt32, _ label: UInt8, beginsRun: Bool) {
            if beginsRun { starts.append(units.count) }
            units.append(unit)
            labels.append(label)
        }

        mutating func popDeepest() -> Range<Int> {
            let start = starts.removeLast()
            return start..<units.count
        }

        /// Forgets a run that was stored at `child`, to which the run above now leads.
        mutating func closeDeepest(_ run: Range<Int>, child: Int) {
            units.removeLast(run.count)
            labels.removeLast(run.count)
            units[units.count - 1] |= UInt32(child) << 2
        }

        func hash(_ run: Range<Int>) -> UInt32 {
            run.reduce(0) { mixed($0, units[$1], labels[$1]) }
        }
    }
}

/// The stored states by their content: open addressing with linear probing, zero for an empty slot.
private struct StateTable {
    private var slots = [UInt32](repeating: 0, count: 4096)
    private var count = 0

    var isCrowded: Bool { count * 2 > slots.count }
    func firstSlot(_ hash: UInt32) -> Int { Int(hash) & (slots.count - 1) }
    func next(_ slot: Int) -> Int { (slot + 1) & (slots.count - 1) }
    subscript(slot: Int) -> Int? { slots[slot] == 0 ? nil : Int(slots[slot]) }

    mutating func insert(_ start: Int, at slot: Int) {
        slots[slot] = UInt32(start)
        count += 1
    }

    mutating func grow(hash: (Int) -> UInt32) {
        let old = slots
        slots = [UInt32](repeating: 0, count: old.count * 2)
        for start in old where start != 0 {
            var slot = firstSlot(hash(Int(start)))
            while slots[slot] != 0 { slot = next(slot) }
            slots[slot] = start
        }
    }
}

/// One step of the hash of a state: multiply and fold, so that the low bits depend on all of the unit.
@inline(__always)
private func mixed(_ state: UInt32, _ unit: UInt32, _ label: UInt8) -> UInt32 {
    let product = (UInt64(state ^ unit) << 8 | UInt64(label)) &* 0x9E37_79B9_7F4A_7C15
    return UInt32(truncatingIfNeeded: product >> 32)
}
