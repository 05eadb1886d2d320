import Partitioning
import PieceModel
import Tokenizers
import UnicodeText

/// Learns merges: again and again the most frequent adjacent pair of symbols becomes one.
///
/// Exact: among equally frequent pairs the shorter piece wins, then the smaller bytes; a piece that an earlier merge
/// made by another path is passed over. This is what sentencepiece 0.2.3 does with a priority queue.
///
/// The words lie in one array of cells, a separator between them. A symbol of n characters stands in the first of its n
/// cells; if n > 1, the last of them holds -(n + 1), so that the left neighbour is found in one step; what lies between
/// is -2. Each pair's occurrences all come into being in one step (when the later of its halves is formed), so they are
/// one run in `positions`.
struct BPETrainer {
    private let rules: PieceRules
    private let traits: [PieceRules.Trait]
    private var cells: [Int32] = []
    private let wordFrequencies: FrequencySteps
    private var symbols: PairSymbols
    private var pairs: PairTable
    private var positions: [Int32] = []
    private var queue = PairQueue()
    private var emitted = ByteStringTable(minimumCapacity: 1 << 15)

    private static let separator: Int32 = -1
    private static let consumed: Int32 = -2
    /// What the table of pairs holds for pairs that may not become a piece.
    private static let forbidden: Int32 = -2

    /// Where the words of each frequency begin; words are ordered by falling frequency.
    struct FrequencySteps {
        var starts: [Int32] = []
        var frequencies: [Int64] = []

        @inline(__always)
        func frequency(at position: Int32) -> Int64 {
            var low = 0
            var high = starts.count - 1
            // Most occurrences lie in the last step: words that occur once.
            if position >= starts[high] { return frequencies[high] }
            while high - low > 1 {
                let middle = (low + high) / 2
                if starts[middle] <= position { low = middle } else { high = middle }
            }
            return frequencies[low]
        }
    }

    init(words: WordCounts, alphabet: Alphabet, rules: PieceRules) {
        self.rules = rules
        let scalars = alphabet.characters.map(\.scalar)
        traits = scalars.map { rules.trait(of: $0) }
        (cells, wordFrequencies) = layOut(words, scalars: scalars, separator: Self.separator)
        pairs = PairTable(minimumCapacity: 1 << 16)
        symbols = PairSymbols(scalars: scalars)
        countPairs()
    }

    /// The next merge's piece in UTF-8; nil when no pair is left.
    mutating func nextMerge() -> ArraySlice<UInt8>? {
        while let best = popBest() {
            let (index, inserted) = emitted.insert(symbols.text(of: best))
            if !inserted { continue }
            merge(best)
            return emitted[index]
        }
        return nil
    }

    // MARK: Counting

    /// Counts all pairs of neighbours and lists where they are.
    private mutating func countPairs() {
        let first = Int32(symbols.count)
        var found: [(pair: Int32, position: Int32)] = []
        for index in cells.indices.dropLast() where cells[index] >= 0 && cells[index + 1] >= 0 {
            guard let pair = pair(cells[index], cells[index + 1]) else { continue }
            increase(pair, by: wordFrequencies.frequency(at: Int32(index)), at: Int32(index), &found)
        }
        list(found, of: first..<Int32(symbols.count))
    }

    /// Gives each new pair its run of positions and its place in the queue.
    private mutating func list(_ found: [(pair: Int32, position: Int32)], of fresh: Range<Int32>) {
        var start = positions.count
        for pair in fresh {
            symbols[pair].firstPosition = start
            start += Int(symbols[pair].positionCount)
            symbols[pair].positionCount = 0
        }
        positions.append(contentsOf: repeatElement(0, count: start - positions.count))
        for (pair, position) in found { appendPosition(position, to: pair) }
        for pair in fresh { enqueue(pair) }
    }

    @inline(__always)
    private mutating func appendPosition(_ position: Int32, to pair: Int32) {
        let symbol = symbols[pair]
        positions[symbol.firstPosition + Int(symbol.positionCount)] = position
        symbols[pair].positionCount += 1
    }

    /// The pair's symbol, made if need be; nil if it may not become a piece.
    @inline(__always)
    private mutating func pair(_ left: Int32, _ right: Int32) -> Int32? {
        let found = pairs.merged(left, right)
        if found != -1 { return found == Self.forbidden ? nil : found }
        return makePair(left, right)
    }

    private mutating func makePair(_ left: Int32, _ right: Int32) -> Int32? {
        let length = symbols[left].length + symbols[right].length
        guard length <= rules.longestPiece, rules.allows(traits(of: left) + traits(of: right)) else {
            pairs.insert(left, right, makes: Self.forbidden)
            return nil
        }
        let number = symbols.append(PairSymbols.Symbol(left: left, right: right, length: length))
        pairs.insert(left, right, makes: number)
        return number
    }

    private func traits(of symbol: Int32) -> [PieceRules.Trait] {
        var result: [PieceRules.Trait] = []
        symbols.forEachCharacter(of: symbol) { result.append(traits[Int($0)]) }
        return result
    }

    // MARK: Selecting

    private mutating func enqueue(_ pair: Int32) {
        let symbol = symbols[pair]
        queue.push(
            PairQueue.Entry(
                frequency: symbol.frequency, length: symbol.length, leading: symbols.leading(of: pair), symbol: pair),
            symbols)
    }

    /// The most frequent pair. Frequencies only fall once a pair is queued, so a stale entry is put back lower.
    private mutating func popBest() -> Int32? {
        while var entry = queue.pop(symbols) {
            let frequency = symbols[entry.symbol].frequency
            if frequency == entry.frequency { return entry.symbol }
            entry.frequency = frequency
            queue.push(entry, symbols)
        }
        return nil
    }

    // MARK: Merging

    private mutating func merge(_ best: Int32) {
        let symbol = symbols[best]
        let leftLength = symbols[symbol.left].length
        let first = Int32(symbols.count)
        var found: [(pair: Int32, position: Int32)] = []
        let run = symbol.firstPosition..<symbol.firstPosition + Int(symbol.positionCount)
        for index in run {
            let left = positions[index]
            let right = left + leftLength
            guard cells[Int(left)] == symbol.left, cells[Int(right)] == symbol.right else { continue }
            replace(best, symbol, at: left, &found)
        }
        list(found, of: first..<Int32(symbols.count))
    }

    /// Merges one occurrence: the pairs with its neighbours end, those of the merged symbol begin.
    @inline(__always)
    private mutating func replace(
        _ best: Int32, _ symbol: PairSymbols.Symbol, at left: Int32, _ found: inout [(pair: Int32, position: Int32)]
    ) {
        let frequency = wordFrequencies.frequency(at: left)
        let right = left + symbols[symbol.left].length
        let end = left + symbol.length
        let previous = previousPosition(before: left)
        let next = cells[Int(end)] >= 0 ? cells[Int(end)] : nil
        if let previous { decrease(cells[Int(previous)], symbol.left, by: frequency, unless: best) }
        if let next { decrease(symbol.right, next, by: frequency, unless: best) }

        cells[Int(right) - 1] = right - 1 > left ? Self.consumed : cells[Int(right) - 1]
        cells[Int(right)] = Self.consumed
        cells[Int(left)] = best
        cells[Int(end) - 1] = -(symbol.length + 1)

        if let previous, let pair = pair(cells[Int(previous)], best) {
            increase(pair, by: frequency, at: previous, &found)
        }
        if let next, let pair = pair(best, next) { increase(pair, by: frequency, at: left, &found) }
    }

    @inline(__always)
    private func previousPosition(before position: Int32) -> Int32? {
        let cell = cells[Int(position) - 1]
        if cell >= 0 { return position - 1 }
        return cell == Self.separator ? nil : position + cell + 1
    }

    @inline(__always)
    private mutating func decrease(_ left: Int32, _ right: Int32, by frequency: Int64, unless best: Int32) {
        let pair = pairs.merged(left, right)
        if pair >= 0, pair != best { symbols[pair].frequency -= frequency }
    }

    @inline(__always)
    private mutating func increase(
        _ pair: Int32, by frequency: Int64, at position: Int32, _ found: inout [(pair: Int32, position: Int32)]
    ) {
        symbols[pair].frequency += frequency
        symbols[pair].positionCount += 1
        found.append((pair, position))
    }
}

/// Writes the words into cells, the most frequent first, a separator before, between and after them.
private func layOut(
    _ words: WordCounts, scalars: [UInt32], separator: Int32
) -> (cells: [Int32], frequencies: BPETrainer.FrequencySteps) {
    var basic = [Int32](repeating: separator, count: 0x10000)
    var other: [UInt32: Int32] = [:]
    for (number, scalar) in scalars.enumerated() {
        if scalar < 0x10000 { basic[Int(scalar)] = Int32(number) } else { other[scalar] = Int32(number) }
    }
    // Equally frequent words stay in the order in which the corpus brought them.
    let order = words.counts.indices.sorted {
        words.counts[$0] != words.counts[$1] ? words.counts[$0] > words.counts[$1] : $0 < $1
    }
    var cells: [Int32] = [separator]
    var steps = BPETrainer.FrequencySteps()
    words.words.bytes.withUnsafeBufferPointer { bytes in
        for index in order {
            if steps.frequencies.last != words.counts[index] {
                steps.starts.append(Int32(cells.count))
                steps.frequencies.append(words.counts[index])
            }
            let text = UnsafeBufferPointer(rebasing: bytes[words.words.range(of: index)])
            var position = 0
            while position < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: position)
                // A character outside the alphabet separates, since no piece holds it.
                cells.append(scalar < 0x10000 ? basic[Int(scalar)] : other[scalar] ?? separator)
                position += length
            }
            cells.append(separator)
        }
    }
    return (cells, steps)
}
