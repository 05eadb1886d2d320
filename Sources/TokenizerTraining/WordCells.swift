import PieceModel
import UnicodeText

/// The words of a corpus as symbols, each character a cell, a separator before, between and after the words.
///
/// A symbol of n characters stands in the first of its n cells; if n > 1, the last of them holds -(n + 1), so that the
/// left neighbour is found in one step; what lies between is -2.
struct WordCells: Sendable {
    private(set) var cells: [Int32]
    /// Where the words of each frequency begin; words are ordered by falling frequency.
    private var stepStarts: [Int32] = []
    private var stepFrequencies: [Int64] = []

    static let separator: Int32 = -1
    static let consumed: Int32 = -2

    /// Lays words out as single characters; those outside the alphabet separate, since no piece holds them.
    ///
    /// - Throws: `TrainingError.tooMuchText` if positions need more than 32 bits.
    init(_ words: consuming WordCounts, scalars: [UInt32]) throws(TrainingError) {
        let numbers = CharacterNumbers(scalars)
        try self.init(words) { text, cells in
            var position = 0
            while position < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: position)
                cells.append(numbers[scalar])
                position += length
            }
        }
    }

    /// Lays words out as `layOut` says, which appends each word's cells.
    init(
        _ words: consuming WordCounts, _ layOut: (UnsafeBufferPointer<UInt8>, inout [Int32]) -> Void
    ) throws(TrainingError) {
        let table = words.words
        let counts = words.counts
        // Bytes that stand for unknown characters take a cell each.
        if table.bytes.count + table.count >= Int32.max {
            let size = characterCount(table.bytes) + table.count + 1
            if size >= Int32.max / 2 { throw .tooMuchText(characters: size) }
        }
        cells = []
        cells.reserveCapacity(characterCount(table.bytes) + table.count + 1)
        cells.append(Self.separator)
        table.bytes.withUnsafeBufferPointer { bytes in
            for index in byFallingCount(counts) {
                if stepFrequencies.last != counts[index] {
                    stepStarts.append(Int32(cells.count))
                    stepFrequencies.append(counts[index])
                }
                layOut(UnsafeBufferPointer(rebasing: bytes[table.range(of: index)]), &cells)
                cells.append(Self.separator)
            }
        }
    }

    /// Appends the cells of a symbol.
    static func append(_ symbol: Int32, length: Int32, to cells: inout [Int32]) {
        cells.append(symbol)
        if length == 1 { return }
        cells.append(contentsOf: repeatElement(consumed, count: Int(length) - 2))
        cells.append(-(length + 1))
    }

    var count: Int { cells.count }

    /// How often the word occurs that a position lies in.
    @inline(__always)
    func frequency(at position: Int32) -> Int64 {
        var low = 0
        var high = stepStarts.count - 1
        // Most occurrences lie in the last step: words that occur once.
        if position >= stepStarts[high] { return stepFrequencies[high] }
        while high - low > 1 {
            let middle = (low + high) / 2
            if stepStarts[middle] <= position { low = middle } else { high = middle }
        }
        return stepFrequencies[low]
    }

    @inline(__always)
    subscript(position: Int32) -> Int32 { cells[Int(position)] }

    /// Where the symbol before a position begins; nil at a word's start.
    @inline(__always)
    func start(before position: Int32) -> Int32? {
        let cell = cells[Int(position) - 1]
        if cell >= 0 { return position - 1 }
        return cell == Self.separator ? nil : position + cell + 1
    }

    /// Puts a symbol in the place of two neighbours.
    @inline(__always)
    mutating func merge(at left: Int32, right: Int32, length: Int32, into symbol: Int32) {
        if right - 1 > left { cells[Int(right) - 1] = Self.consumed }
        cells[Int(right)] = Self.consumed
        cells[Int(left)] = symbol
        cells[Int(left + length) - 1] = -(length + 1)
    }

    /// Takes all merges back: each symbol becomes again what it was merged from.
    mutating func restore(_ symbols: MergeSymbols) {
        var position = 0
        while position < cells.count {
            let symbol = cells[position]
            guard symbol >= 0 else {
                position += 1
                continue
            }
            var restored: [Int32] = []
            for part in symbols.parts(of: symbol) { Self.append(part, length: symbols.length(of: part), to: &restored) }
            cells.replaceSubrange(position..<position + restored.count, with: restored)
            position += restored.count
        }
    }
}

/// The number of each character of the alphabet; the separator's for all others.
struct CharacterNumbers {
    private var basic = [Int32](repeating: WordCells.separator, count: 0x10000)
    private var other: [UInt32: Int32] = [:]

    init(_ scalars: [UInt32]) {
        for (number, scalar) in scalars.enumerated() {
            if scalar < 0x10000 { basic[Int(scalar)] = Int32(number) } else { other[scalar] = Int32(number) }
        }
    }

    @inline(__always)
    subscript(scalar: UInt32) -> Int32 {
        scalar < 0x10000 ? basic[Int(scalar)] : other[scalar] ?? WordCells.separator
    }
}

private func characterCount(_ bytes: [UInt8]) -> Int {
    var count = 0
    for byte in bytes where byte & 0xC0 != 0x80 { count += 1 }
    return count
}

/// Positions of counts from the highest down; small ones, which most are, by counting.
private func byFallingCount(_ counts: [Int64]) -> [Int] {
    let limit: Int64 = 256
    var order = counts.indices.filter { counts[$0] >= limit }
    order.sort { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }
    var starts = [Int](repeating: 0, count: Int(limit))
    for count in counts where count < limit { starts[Int(count)] += 1 }
    var next = order.count
    for count in starts.indices.reversed() {
        (starts[count], next) = (next, next + starts[count])
    }
    order.append(contentsOf: repeatElement(0, count: counts.count - order.count))
    for index in counts.indices where counts[index] < limit {
        order[starts[Int(counts[index])]] = index
        starts[Int(counts[index])] += 1
    }
    return order
}
