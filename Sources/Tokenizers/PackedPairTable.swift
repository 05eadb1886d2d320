/// A number for each of some pairs of symbols, eight bytes a slot, so that what a language uses stays in the cache.
///
/// A slot holds the left symbol in its upper 21 bits, the right one in the next 21, the number plus one in the lower
/// 22. Symbols and numbers are below 2^20. What is negative stands for no symbol: its lower 21 bits are those of no
/// symbol, so that it is never found.
struct PackedPairTable: Sendable {
    private var slots: [UInt64]
    private(set) var count = 0
    /// The top bits of a pair's hash are its place.
    private var shift: UInt64

    /// Symbols and numbers are below this.
    static let limit = 1 << 20
    private static let empty = UInt64.max

    init(minimumCapacity: Int = 0) {
        var bits: UInt64 = 6
        while (1 << bits) * 2 < minimumCapacity * 3 { bits += 1 }
        slots = [UInt64](repeating: Self.empty, count: 1 << bits)
        shift = 64 - bits
    }

    @inline(__always)
    fileprivate static func key(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left) & 0x1F_FFFF) &<< 21 | UInt64(UInt32(bitPattern: right) & 0x1F_FFFF)
    }

    @inline(__always)
    static func hash(_ left: Int32, _ right: Int32) -> UInt64 {
        key(left, right) &* 0x9E37_79B9_7F4A_7C15
    }

    /// The table's memory, for loops.
    struct View {
        private let slots: UnsafePointer<UInt64>
        private let mask: Int
        private let shift: UInt64

        fileprivate init(_ slots: UnsafeBufferPointer<UInt64>, shift: UInt64) {
            // A buffer of an array with elements has a base address.
            self.slots = slots.baseAddress.unsafelyUnwrapped
            mask = slots.count - 1
            self.shift = shift
        }

        /// The number of a pair, -1 if it was inserted without one, or nil if it is not there.
        @inline(__always)
        func find(_ left: Int32, _ right: Int32) -> Int32? {
            let key = PackedPairTable.key(left, right)
            // The shift leaves as many bits as there are slots; at most two thirds are taken: an empty one comes.
            var place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) &>> shift)
            while slots[place] != PackedPairTable.empty {
                if slots[place] &>> 22 == key { return Int32(truncatingIfNeeded: slots[place] & 0x3F_FFFF) &- 1 }
                place = (place &+ 1) & mask
            }
            return nil
        }
    }

    @inline(__always)
    func withView<R>(_ body: (View) -> R) -> R {
        slots.withUnsafeBufferPointer { body(View($0, shift: shift)) }
    }

    /// Adds a pair, with -1 for no number, or gives it another number; says whether it is new.
    @discardableResult
    mutating func insert(_ left: Int32, _ right: Int32, _ number: Int32) -> Bool {
        precondition(max(left, right, number) < Self.limit && min(left, right) >= 0, "a symbol needs more than 20 bits")
        if count * 3 > slots.count * 2 { grow() }
        let key = Self.key(left, right)
        let place = place(of: key)
        let isNew = slots[place] == Self.empty
        slots[place] = key << 22 | UInt64(number + 1)
        if isNew { count += 1 }
        return isNew
    }

    /// The slot of a pair, or the empty one that it would get.
    private func place(of key: UInt64) -> Int {
        var place = Int((key &* 0x9E37_79B9_7F4A_7C15) >> shift)
        while slots[place] != Self.empty, slots[place] >> 22 != key { place = (place + 1) & (slots.count - 1) }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = [UInt64](repeating: Self.empty, count: old.count * 2)
        shift -= 1
        for slot in old where slot != Self.empty { slots[place(of: slot >> 22)] = slot }
    }
}
