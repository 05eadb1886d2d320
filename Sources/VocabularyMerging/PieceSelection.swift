/// Chooses new pieces for a given room so that each one chosen keeps all that it is made of.
struct PieceSelection {
    private let entries: [NewPieces.Entry]
    private(set) var isKept: [Bool]
    private(set) var count = 0

    init(_ entries: [NewPieces.Entry]) {
        self.entries = entries
        isKept = [Bool](repeating: false, count: entries.count)
    }

    /// Keeps all that is required, whatever the room.
    mutating func keepRequired() {
        for index in entries.indices where entries[index].role == .required { keep(missing(for: index)) }
    }

    /// Keeps pieces in the order given as long as there is room; one that needs more than is left is passed over.
    mutating func keep(_ order: [Int], room: Int) {
        for index in order where count < room && !isKept[index] {
            let missing = missing(for: index)
            if count + missing.count <= room { keep(missing) }
        }
    }

    private mutating func keep(_ indices: Set<Int>) {
        for index in indices { isKept[index] = true }
        count += indices.count
    }

    /// A piece and what it is made of, as far as it is not kept yet.
    private func missing(for index: Int) -> Set<Int> {
        var found: Set<Int> = []
        var open = [index]
        while let next = open.popLast() {
            if !isKept[next], found.insert(next).inserted { open += entries[next].parts }
        }
        return found
    }
}
