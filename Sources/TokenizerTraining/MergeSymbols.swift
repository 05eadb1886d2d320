import UnicodeText

/// The symbols of BPE training: first the alphabet's characters, then a base vocabulary's longer pieces if there is one,
/// then one for each merge.
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

    /// The halves of each merge.
    private var halves: [(left: Int32, right: Int32)] = []
    /// Symbols that are no merges.
    private let baseCount: Int

    /// - Parameter pieces: the base's pieces, as numbers of their characters.
    init(scalars: [UInt32], pieces: [[Int32]] = [], rules: PieceRules) {
        self.scalars = scalars
        baseCount = scalars.count + pieces.count
        self.rules = rules
        traits = scalars.map { rules.trait(of: $0) }
        characters = scalars.indices.map { Int32($0) }
        starts = (0...Int32(scalars.count)).map { $0 }
        for piece in pieces {
            characters.append(contentsOf: piece)
            starts.append(Int32(characters.count))
        }
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
        halves.append((left, right))
        return Int32(count - 1)
    }

    /// Forgets all merges.
    mutating func removeMerges() {
        characters.removeSubrange(Int(starts[baseCount])...)
        starts.removeSubrange((baseCount + 1)...)
        halves = []
    }

    /// The symbols that a symbol was merged from, in order.
    func parts(of symbol: Int32) -> [Int32] {
        var result: [Int32] = []
        var pending = [symbol]
        while let next = pending.popLast() {
            if Int(next) < baseCount {
                result.append(next)
            } else {
                let (left, right) = halves[Int(next) - baseCount]
                pending.append(right)
                pending.append(left)
            }
        }
        return result
    }

    /// The texts of the base's pieces of more than one character.
    func baseTexts() -> [[UInt8]] {
        (scalars.count..<baseCount).map { symbol in
            var bytes: [UInt8] = []
            for character in characters(of: Int32(symbol)) { UTF8Scalars.append(scalars[Int(character)], to: &bytes) }
            return bytes
        }
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
