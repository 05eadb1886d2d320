/// Names, numbered in their order, none there twice: 15 to 22 bytes for each beside its own.
///
/// Names that are canonically equivalent are one, as Swift's strings are.
package struct NameTable: Sendable {
    /// All names, one after another.
    private var bytes: [UInt8] = []
    /// Where each name ends.
    private var ends: [UInt32] = []
    private var hashes: [UInt32] = []
    /// Open addressing: 0, or with the top bit set seven bits of the hash. None while the names are few.
    private var tags: [UInt8] = []
    /// The number of the name whose tag has the same place.
    private var slots: [UInt32] = []

    /// As many names are found by going through all.
    private static let few = 8

    package init() {}

    package var count: Int { ends.count }
    package var isEmpty: Bool { ends.isEmpty }
    package var indices: Range<Int> { ends.indices }

    package subscript(number: Int) -> String {
        let start = number == 0 ? 0 : Int(ends[number - 1])
        return bytes.withUnsafeBufferPointer {
            String(decoding: UnsafeBufferPointer(rebasing: $0[start..<Int(ends[number])]), as: UTF8.self)
        }
    }

    /// The number of a name, or nil.
    package func number(of name: String) -> Int? {
        find(name, hash: Self.hash(name))
    }

    /// Adds a name at the end; false, and nothing added, if it is there.
    ///
    /// The names' bytes together must be fewer than 2^32, as those of one JSON text are.
    package mutating func append(_ name: String) -> Bool {
        let before = count
        return numberAppending(name) == before
    }

    /// The number of a name, which is added at the end if it is not there.
    package mutating func numberAppending(_ name: String) -> Int {
        let hash = Self.hash(name)
        if let number = find(name, hash: hash) { return number }
        var name = name
        name.withUTF8 { bytes.append(contentsOf: $0) }
        ends.append(UInt32(bytes.count))
        hashes.append(hash)
        placeLast()
        return count - 1
    }

    /// Forgets the names but not the memory they had.
    package mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        hashes.removeAll(keepingCapacity: true)
        tags.removeAll()
        slots.removeAll()
    }

    private static func hash(_ name: String) -> UInt32 {
        // Seeded anew in each process: nobody can choose names that meet. No output depends on it.
        UInt32(truncatingIfNeeded: name.hashValue)
    }

    private static func tag(_ hash: UInt32) -> UInt8 {
        UInt8(hash >> 25) | 0x80
    }

    private func find(_ name: String, hash: UInt32) -> Int? {
        guard !tags.isEmpty else { return indices.first { hashes[$0] == hash && self[$0] == name } }
        let tag = Self.tag(hash)
        var place = Int(hash) & (tags.count - 1)
        while tags[place] != 0 {
            if tags[place] == tag {
                let number = Int(slots[place])
                if hashes[number] == hash, self[number] == name { return number }
            }
            place = (place + 1) & (tags.count - 1)
        }
        return nil
    }

    /// Makes the last name findable by its hash.
    private mutating func placeLast() {
        if count <= Self.few { return }
        if count * 4 <= tags.count * 3 { return fillPlace(count - 1) }
        let size = max(32, tags.count * 2)
        // The old ones are let go before the new ones are made.
        (tags, slots) = ([], [])
        tags = [UInt8](repeating: 0, count: size)
        slots = [UInt32](repeating: 0, count: size)
        for number in indices { fillPlace(number) }
    }

    private mutating func fillPlace(_ number: Int) {
        let hash = hashes[number]
        var place = Int(hash) & (tags.count - 1)
        while tags[place] != 0 { place = (place + 1) & (tags.count - 1) }
        tags[place] = Self.tag(hash)
        slots[place] = UInt32(number)
    }
}
