import Glibc
import PieceModel
public import Tokenizers
import UnicodeText

/// How often each entry of a vocabulary comes in texts.
public struct EntryUses: Sendable, Equatable {
    /// For each id.
    public private(set) var counts: [Int]

    public init(entries: Int) {
        counts = [Int](repeating: 0, count: entries)
    }

    public init(counts: [Int]) {
        self.counts = counts
    }

    mutating func add(_ ids: [PieceID]) {
        for id in ids { counts[Int(id.rawValue)] += 1 }
    }

    mutating func add(_ other: EntryUses) {
        for index in counts.indices { counts[index] += other.counts[index] }
    }

    public subscript(id: PieceID) -> Int { counts[Int(id.rawValue)] }

    /// Entries that come at all.
    public var usedEntries: Int { counts.count { $0 > 0 } }

    /// Their share of all entries, from 0 to 1.
    public var usedShare: Double { Double(usedEntries) / Double(counts.count) }

    /// The order that Zouhar et al. (Tokenization and the Noiseless Channel, 2023) found to go best with the quality of
    /// translation.
    public static let renyiOrder = 2.5

    /// The Rényi entropy of the entries' frequencies in bits; NaN where there are none.
    public var renyiEntropy: Double {
        let total = Double(counts.reduce(0, +))
        if total == 0 { return .nan }
        // In ascending order: always the same sum, and the small ones are not lost.
        let sum = counts.filter { $0 > 0 }.sorted().reduce(0.0) { $0 + pow(Double($1) / total, Self.renyiOrder) }
        return log2(sum) / (1 - Self.renyiOrder)
    }

    /// The entropy as a share of what equal use of all entries would have, as Zouhar et al. define the efficiency of a
    /// tokenizer. Their program takes the entries that come for all entries unless told otherwise.
    public var renyiEfficiency: Double { renyiEntropy / log2(Double(counts.count)) }

    /// The entries of the most characters among those that come, the longest first, equal ones by id.
    public func longest(_ count: Int, in vocabulary: Vocabulary) -> [PieceID] {
        first(count) { -characters(of: $0, in: vocabulary) }
    }

    /// The entries that come least often among those that come, the rarest first, equal ones by id, the latest first:
    /// rows that were added stand before those of the base.
    public func rarest(_ count: Int) -> [PieceID] {
        first(count) { counts[Int($0.rawValue)] * counts.count - Int($0.rawValue) }
    }

    /// How often entries come that hold a Han or kana character, or a byte: where such text is read badly it is spelt in
    /// bytes.
    public func eastAsianTokens(in vocabulary: Vocabulary) -> Int {
        counts.indices.reduce(0) { sum, index in
            let id = PieceID(index)
            if counts[index] == 0 { return sum }
            let isCounted =
                vocabulary.type(of: id) == .byte
                || vocabulary.text(of: id).unicodeScalars.contains { $0.script == .han || $0.script == .kana }
            return isCounted ? sum + counts[index] : sum
        }
    }

    /// The characters of an entry's text; a byte is none.
    public func characters(of id: PieceID, in vocabulary: Vocabulary) -> Int {
        vocabulary.type(of: id) == .byte ? 0 : vocabulary.bytes(of: id).count { $0 & 0xC0 != 0x80 }
    }

    private func first(_ count: Int, by key: (PieceID) -> Int) -> [PieceID] {
        let used = counts.indices.filter { counts[$0] > 0 }.map { PieceID($0) }
        return used.map { (key($0), $0) }.sorted { $0 < $1 }.prefix(count).map(\.1)
    }
}
