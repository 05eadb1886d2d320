import UnicodeText

/// The symbols of BPE training: first the alphabet's characters, then one for each merge.
struct MergeSymbols: Sendable {
    /// Code points of the characters.
    private let scalars: [UInt32]
    private let traits: [PieceRules.Trait]
    private let rules: PieceRules
    /// The numbers of the characters of all symbols, one after the other.
    private var characters: [Int32]
    /// Where each symbol's characters begin; one more entry for the end.
    private var starts: [Int32]
    /// For the concatenation that is being looked at.
    private var scratch: [PieceRules.Trait] = []

    init(scalars: [UInt32], rules: PieceRules) {
        self.scalars = scalars
        self.rules = rules
        traits = scalars.map { rules.trait(of: $0) }
        characters = scalars.indices.map { Int32($0) }
        starts = (0...Int32(scalars.count)).map { $0 }
    }

    var count: Int { starts.count - 1 }

    /// In characters.
    @inline(__always)
    func length(of symbol: Int32) -> Int32 {
        starts[Int(symbol) + 1] - starts[Int(symbol)]
    }

    func characters(of symbol: Int32) -> ArraySlice<Int32> {
        characters[Int(starts[Int(symbol)])..<Int(starts[Int(symbol) + 1])]
    }

    /// Makes the symbol of a merge.
    mutating func append(_ left: Int32, _ right: Int32) -> Int32 {
        let both = Array(characters(of: left)) + characters(of: right)
        characters.append(contentsOf: both)
        starts.append(Int32(characters.count))
        return Int32(count - 1)
    }

    /// Forgets all symbols but the alphabet.
    mutating func removeMerges() {
        starts.removeSubrange((scalars.count + 1)...)
        characters.removeSubrange(scalars.count...)
    }

    /// May the two become one piece?
    mutating func mayMerge(_ left: Int32, _ right: Int32) -> Bool {
        if Int(length(of: left) + length(of: right)) > rules.longestPiece { return false }
        scratch.removeAll(keepingCapacity: true)
        for character in characters(of: left) { scratch.append(traits[Int(character)]) }
        for character in characters(of: right) { scratch.append(traits[Int(character)]) }
        return rules.allows(scratch)
    }

    /// The piece that the two make, in UTF-8.
    func text(of left: Int32, _ right: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        for character in characters(of: left) { UTF8Scalars.append(scalars[Int(character)], to: &bytes) }
        for character in characters(of: right) { UTF8Scalars.append(scalars[Int(character)], to: &bytes) }
        return bytes
    }

    /// The first three code points of what two symbols make, 21 bits each: most ties are decided by them.
    func leading(of left: Int32, _ right: Int32) -> UInt64 {
        var key: UInt64 = 0
        var places = 3
        for symbol in [left, right] {
            for character in characters(of: symbol) where places > 0 {
                key = key << 21 | UInt64(scalars[Int(character)])
                places -= 1
            }
        }
        return key << UInt64(21 * places)
    }

    /// Which of two pairs of equal length comes first: by code points, which is by bytes; of equal texts the one with
    /// the longer left half. No two pairs are alike in both, since a text is merged only once.
    func precedes(_ first: (left: Int32, right: Int32), _ second: (left: Int32, right: Int32)) -> Bool {
        let firstText = codePoints(first)
        let secondText = codePoints(second)
        if firstText == secondText { return length(of: first.left) > length(of: second.left) }
        return firstText.lexicographicallyPrecedes(secondText)
    }

    private func codePoints(_ pair: (left: Int32, right: Int32)) -> [UInt32] {
        (Array(characters(of: pair.left)) + characters(of: pair.right)).map { scalars[Int($0)] }
    }
}
