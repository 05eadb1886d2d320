/// The search below some first characters; lanes work on disjoint ranges of the shared positions.
struct SubstringSearch {
    let text: SymbolText
    let rules: PieceRules
    let end: Int
    let copies: SentenceCopies?
    let minimumCount: Int64
    let positions: UnsafeMutablePointer<Int32>
    private let symbols: UnsafePointer<Int32>

    private(set) var found: [SeedCandidate] = []
    private var traits: [PieceRules.Trait] = []
    private var byteCount = 0
    private var keys: [Int32] = []
    private var moved: [Int32] = []
    private var symbolCounts: [Int32]

    /// Smaller groups are sorted by insertion.
    private static let smallGroup = 24

    init(
        text: SymbolText, rules: PieceRules, end: Int, copies: SentenceCopies?, minimumCount: Int64,
        positions: UnsafeMutablePointer<Int32>
    ) {
        self.text = text
        self.rules = rules
        self.end = end
        self.copies = copies
        self.minimumCount = minimumCount
        self.positions = positions
        symbols = UnsafePointer(text.symbols.pointer)
        symbolCounts = [Int32](repeating: 0, count: text.alphabet.count)
    }

    mutating func search(_ range: Range<Int>, first: Int32) {
        if total(range) < 2 { return }
        push(first)
        split(range)
        pop(first)
    }

    private mutating func push(_ symbol: Int32) {
        traits.append(text.alphabet.traits[Int(symbol)])
        byteCount += text.alphabet.byteCount(of: CollectionOfOne(symbol))
    }

    private mutating func pop(_ symbol: Int32) {
        traits.removeLast()
        byteCount -= text.alphabet.byteCount(of: CollectionOfOne(symbol))
    }

    private func total(_ range: Range<Int>) -> Int64 {
        guard let copies else { return Int64(range.count) }
        return range.reduce(0) { $0 + copies.count(at: positions[$1]) }
    }

    /// Splits the positions of one substring by what follows, records the substring, and goes on with each part.
    private mutating func split(_ range: Range<Int>) {
        let length = traits.count
        sort(range, at: length)
        record(range, length: length)
        if length == rules.longestPiece { return }
        var start = range.lowerBound
        while start < range.upperBound {
            let symbol = symbols[Int(positions[start]) + length]
            var next = start + 1
            while next < range.upperBound, symbols[Int(positions[next]) + length] == symbol { next += 1 }
            let isRepeated = next - start > 1 || (copies != nil && total(start..<next) > 1)
            if isRepeated, symbol != SymbolText.end,
                rules.mayJoin(traits[length - 1], text.alphabet.traits[Int(symbol)])
            {
                push(symbol)
                split(start..<next)
                pop(symbol)
            }
            start = next
        }
    }

    /// Sorts positions by the symbol `offset` after each; equal ones keep their order.
    private mutating func sort(_ range: Range<Int>, at offset: Int) {
        if range.count <= Self.smallGroup {
            for index in range.dropFirst() {
                let position = positions[index]
                let key = symbols[Int(position) + offset]
                var hole = index
                while hole > range.lowerBound, symbols[Int(positions[hole - 1]) + offset] > key {
                    positions[hole] = positions[hole - 1]
                    hole -= 1
                }
                positions[hole] = position
            }
        } else {
            distribute(range, at: offset)
        }
    }

    private mutating func distribute(_ range: Range<Int>, at offset: Int) {
        if keys.count < range.count {
            keys = [Int32](repeating: 0, count: range.count)
            moved = keys
        }
        let (positions, symbols) = (positions, symbols)
        keys.withUnsafeMutableBufferPointer { keys in
            moved.withUnsafeMutableBufferPointer { moved in
                symbolCounts.withUnsafeMutableBufferPointer { counts in
                    var touched: [Int32] = []
                    for index in range {
                        let key = symbols[Int(positions[index]) + offset]
                        keys[index - range.lowerBound] = key
                        if counts[Int(key)] == 0 { touched.append(key) }
                        counts[Int(key)] += 1
                    }
                    touched.sort()
                    var next: Int32 = 0
                    for key in touched {
                        let count = counts[Int(key)]
                        counts[Int(key)] = next
                        next += count
                    }
                    for index in 0..<range.count {
                        let key = Int(keys[index])
                        moved[Int(counts[key])] = positions[range.lowerBound + index]
                        counts[key] += 1
                    }
                    for key in touched { counts[Int(key)] = 0 }
                    (positions + range.lowerBound).update(from: moved.baseAddress!, count: range.count)
                }
            }
        }
    }

    /// Notes the substring if it branches and may be a piece.
    private mutating func record(_ range: Range<Int>, length: Int) {
        if length < 2 { return }
        let firstBytes = text.alphabet.firstBytes
        let first = firstBytes[Int(symbols[Int(positions[range.lowerBound]) + length])]
        let last = firstBytes[Int(symbols[Int(positions[range.upperBound - 1]) + length])]
        var count: Int64 = 0
        // Sorted by code point: the first bytes ascend too.
        if first != last {
            let all = total(range)
            if all >= minimum(byteCount) { count += all }
        }
        if symbols[Int(positions[range.lowerBound]) + length] == SymbolText.end {
            count += countAtEnds(range, length: length)
        }
        if count >= 2, rules.allows(traits) {
            found.append(
                SeedCandidate(position: positions[range.lowerBound], length: Int32(length), count: count))
        }
    }

    private func minimum(_ bytes: Int) -> Int64 { bytes <= 3 ? 2 : minimumCount }

    /// How often the substring ends a sentence, if different sentences follow.
    private func countAtEnds(_ range: Range<Int>, length: Int) -> Int64 {
        var count: Int64 = 0
        var followers: (first: Int, areDifferent: Bool)?
        func add(_ follower: Int) {
            if let known = followers {
                followers = (known.first, known.areDifferent || known.first != follower)
            } else {
                followers = (follower, false)
            }
        }
        for index in range {
            let position = positions[index]
            let next = Int(position) + length + 1
            if symbols[next - 1] != SymbolText.end { break }
            let copies = copies?.count(at: position) ?? 1
            count += copies
            if copies > 1, let start = self.copies?.start(at: position) {
                add(Int(text.alphabet.firstBytes[Int(symbols[Int(start)])]))
            }
            // Nothing follows the last sentence: that is a way of its own.
            add(next < end ? Int(text.alphabet.firstBytes[Int(symbols[next])]) : -1)
        }
        return followers?.areDifferent == true && count >= minimum(byteCount + 1) ? count : 0
    }
}
