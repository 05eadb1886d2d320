import Partitioning
import UnicodeText

/// The corpus as numbers of characters, sentence after sentence, each ended by `end`.
///
/// Numbers ascend with code points, so that their order is the order of UTF-8 bytes. A character outside the alphabet
/// is ▅, as during SentencePiece's training.
struct SymbolText: Sendable {
    /// What ends a sentence; characters count from 1.
    static let end: Int32 = 0

    let alphabet: SymbolAlphabet
    let symbols: SharedBuffer<Int32>
    /// How often each sentence occurs; empty if each occurs once.
    let frequencies: [Int64]

    /// - Parameter extra: characters of pieces that the text does not hold.
    /// - Throws: `TrainingError.corpusTooLarge` if the characters cannot be numbered in 32 bits.
    init(
        _ sentences: TrainingSentences, alphabet: Alphabet, extra: [UInt32] = [], rules: PieceRules, threads: Int
    ) throws {
        self.alphabet = SymbolAlphabet(scalars: alphabet.characters.map(\.scalar), extra: extra, rules: rules)
        frequencies = sentences.frequencies
        symbols = try encode(sentences, with: self.alphabet, threads: threads)
    }

    func frequency(ofSentence index: Int) -> Int64 {
        frequencies.isEmpty ? 1 : frequencies[index]
    }
}

/// The characters of a text, numbered by code point from 1.
struct SymbolAlphabet: Sendable {
    /// By number; 0 stands for the end of a sentence.
    let scalars: [UInt32]
    let traits: [PieceRules.Trait]
    /// The first byte of each character's UTF-8.
    let firstBytes: [UInt8]
    /// The number of ▅.
    let unknown: Int32
    private let basic: [Int32]
    private let other: [UInt32: Int32]

    /// - Parameter extra: characters that have a number, but are ▅ where the text holds them.
    init(scalars: [UInt32], extra: [UInt32] = [], rules: PieceRules) {
        let known = Set(scalars)
        let ordered = known.union(extra).union([PieceRules.unknown]).subtracting([0]).sorted()
        self.scalars = [0] + ordered
        traits = self.scalars.map { rules.trait(of: $0) }
        firstBytes = self.scalars.map { UTF8Scalars.bytes(of: $0)[0] }
        let unknown = Int32((ordered.firstIndex(of: PieceRules.unknown) ?? 0) + 1)
        self.unknown = unknown
        var basic = [Int32](repeating: unknown, count: 0x10000)
        var other: [UInt32: Int32] = [:]
        for (index, scalar) in ordered.enumerated() where known.contains(scalar) {
            if scalar < 0x10000 { basic[Int(scalar)] = Int32(index + 1) } else { other[scalar] = Int32(index + 1) }
        }
        self.basic = basic
        self.other = other
    }

    var count: Int { scalars.count }

    @inline(__always)
    func number(of scalar: UInt32) -> Int32 {
        scalar < 0x10000 ? basic[Int(scalar)] : other[scalar] ?? unknown
    }

    /// Bytes of a piece in UTF-8.
    func byteCount(of symbols: some Sequence<Int32>) -> Int {
        symbols.reduce(0) { $0 + UTF8Scalars.announcedLength(firstBytes[Int($1)]) }
    }

    /// The numbers of a piece's characters; nil if one has none.
    func numbers(of scalars: [UInt32]) -> [Int32]? {
        var result: [Int32] = []
        for scalar in scalars {
            var (low, high) = (0, self.scalars.count)
            while low < high {
                let middle = (low + high) / 2
                if self.scalars[middle] < scalar { low = middle + 1 } else { high = middle }
            }
            if low == self.scalars.count || self.scalars[low] != scalar { return nil }
            result.append(Int32(low))
        }
        return result
    }

    /// A piece in UTF-8.
    func text(of symbols: some Sequence<Int32>) -> [UInt8] {
        var bytes: [UInt8] = []
        for symbol in symbols { UTF8Scalars.append(scalars[Int(symbol)], to: &bytes) }
        return bytes
    }
}

/// Each part of the sentences has its place in the result, by its number of characters.
private func encode(
    _ sentences: TrainingSentences, with alphabet: SymbolAlphabet, threads: Int
) throws -> SharedBuffer<Int32> {
    let parts = partitions(of: sentences.count, into: max(1, threads)).filter { !$0.isEmpty }
    let sizes = try concurrentMap(count: parts.count, threads: threads) { part in
        characterCount(of: sentences.bytes[sentences.range(of: parts[part])]) + parts[part].count
    }
    let total = sizes.reduce(0, +)
    if total > Int32.max { throw TrainingError.corpusTooLarge(characters: total) }
    let result = SharedBuffer<Int32>(count: total)
    _ = try concurrentMap(count: parts.count, threads: threads) { part in
        encode(sentences, parts[part], with: alphabet, to: result.pointer + sizes[..<part].reduce(0, +))
    }
    return result
}

extension TrainingSentences {
    /// The bytes of several sentences, at least one.
    fileprivate func range(of sentences: Range<Int>) -> Range<Int> {
        range(of: sentences.lowerBound).lowerBound..<range(of: sentences.upperBound - 1).upperBound
    }
}

private func characterCount(of bytes: ArraySlice<UInt8>) -> Int {
    bytes.withUnsafeBufferPointer { bytes in
        var count = 0
        var position = 0
        while position < bytes.count {
            position += UTF8Scalars.decode(bytes, at: position).length
            count += 1
        }
        return count
    }
}

private func encode(
    _ sentences: TrainingSentences, _ range: Range<Int>, with alphabet: SymbolAlphabet,
    to output: UnsafeMutablePointer<Int32>
) {
    var output = output
    sentences.bytes.withUnsafeBufferPointer { bytes in
        for sentence in range {
            let text = UnsafeBufferPointer(rebasing: bytes[sentences.range(of: sentence)])
            var position = 0
            while position < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: position)
                output.pointee = alphabet.number(of: scalar)
                output += 1
                position += length
            }
            output.pointee = SymbolText.end
            output += 1
        }
    }
}
