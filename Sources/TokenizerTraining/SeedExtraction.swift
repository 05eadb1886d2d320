import Foundation
import UnicodeText

/// Chooses the seeds: all characters, then the substrings with the most characters covered.
struct SeedExtraction {
    let text: SymbolText
    let rules: PieceRules
    let options: UnigramOptions
    let vocabularySize: Int
    /// How many substrings are kept at most; 0: eight for each entry of the vocabulary, at least 100,000.
    let size: Int
    /// Pieces that the user names instead of substrings of the text.
    let file: SeedFile?
    let threads: Int
    /// The text is searched in stretches of about so many bytes.
    var chunkBytes = 500 * 1024 * 1024

    private var limit: Int { size == 0 ? max(100_000, vocabularySize * 8) : size }

    func seeds() throws -> ScoredPieces {
        var pieces = characters()
        if let file { return fromFile(file, pieces) }
        let candidates = try candidatesOfAllChunks()
        let order = best(candidates, keep: limit).map { candidates[$0] }
        pieces.reserve(pieces: pieces.count + order.count, symbols: order.reduce(pieces.count) { $0 + Int($1.length) })
        for candidate in order { pieces.append(symbols(of: candidate), score: score(of: candidate)) }
        pieces.takeLogarithms()
        return pieces
    }

    /// Each character of the text, the most frequent first, weighted with its frequency.
    func characters() -> ScoredPieces {
        var counts = [Int64](repeating: 0, count: text.alphabet.count)
        var sentence = 0
        for index in 0..<text.symbols.count {
            let symbol = text.symbols[index]
            counts[Int(symbol)] += text.frequency(ofSentence: sentence)
            if symbol == SymbolText.end { sentence += 1 }
        }
        let excluded = [PieceRules.unknown, PieceRules.boundary]
        let used = (1..<counts.count).filter { counts[$0] > 0 && !excluded.contains(text.alphabet.scalars[$0]) }
        var pieces = ScoredPieces()
        for symbol in used.sorted(by: { counts[$0] != counts[$1] ? counts[$0] > counts[$1] : $0 < $1 }) {
            pieces.append(CollectionOfOne(Int32(symbol)), score: Float(counts[symbol]))
        }
        return pieces
    }

    /// The characters and the file's pieces, each once, the heaviest first.
    private func fromFile(_ file: SeedFile, _ characters: ScoredPieces) -> ScoredPieces {
        var all = (0..<characters.count).map { (symbols: Array(characters[$0]), weight: characters.scores[$0]) }
        var seen = Set(all.map(\.symbols))
        for entry in file.entries {
            guard let symbols = text.alphabet.numbers(of: entry.scalars), seen.insert(symbols).inserted else {
                continue
            }
            if all.count >= size { break }
            all.append((symbols, entry.weight))
        }
        all.sort { $0.weight != $1.weight ? $0.weight > $1.weight : $0.symbols.lexicographicallyPrecedes($1.symbols) }
        var pieces = ScoredPieces()
        for (symbols, weight) in all { pieces.append(symbols, score: weight) }
        pieces.takeLogarithms()
        return pieces
    }

    func symbols(of candidate: SeedCandidate) -> UnsafeBufferPointer<Int32> {
        UnsafeBufferPointer(start: text.symbols.pointer + Int(candidate.position), count: Int(candidate.length))
    }

    private func score(of candidate: SeedCandidate) -> Float {
        let length = Float(candidate.length)
        let count = Float(candidate.count)
        return switch options.seedPieceLengthPower {
        case 1: count * length
        case 0.5: count * length.squareRoot()
        case 0: count
        default: count * powf(length, options.seedPieceLengthPower)
        }
    }

    /// The candidates' indices, best first: by score, then the longer in bytes, then by bytes. Candidates come in the
    /// order of their bytes, so that a stable sort does.
    private func best(_ candidates: [SeedCandidate], keep: Int) -> [Int] {
        let keys = candidates.map { candidate in
            // Positive floats compare as their bits do; larger comes first.
            ~(UInt64(score(of: candidate).bitPattern) << 32
                | UInt64(text.alphabet.byteCount(of: symbols(of: candidate))))
        }
        return Array(stableOrder(of: keys).prefix(keep))
    }

    // MARK: Chunks

    /// Counts of substrings that several chunks hold add up, as sentencepiece adds them.
    private func candidatesOfAllChunks() throws -> [SeedCandidate] {
        var all: [SeedCandidate] = []
        for chunk in chunks() {
            let minimum = minimumCount(bytes: chunk.bytes)
            let search = RepeatedSubstrings(text: text, rules: rules, minimumCount: minimum, threads: threads)
            let found = try search.candidates(symbols: chunk.symbols, copies: chunk.copies)
            all = all.isEmpty ? found : merge(all, found)
            if all.count > 16 * limit { all = best(all, keep: 8 * limit).sorted().map { all[$0] } }
        }
        return all
    }

    private func minimumCount(bytes: Int) -> Int64 {
        let size = Float(max(1, vocabularySize))
        let floor = options.minimumFrequencyAlpha * Float(bytes) / max(1, size * logf(size))
        return max(2, Int64(exactly: floor.rounded(.down)) ?? 2)
    }

    struct Chunk {
        var symbols: Range<Int>
        var bytes: Int
        var copies: SentenceCopies?
    }

    /// Sentences in their order, each as often as it occurs, until a chunk is full; copies that no longer fit are
    /// left out.
    func chunks() -> [Chunk] {
        var chunks: [Chunk] = []
        var starts: [Int32] = []
        var copies: [Int64] = []
        var first = 0
        var bytes = 0
        var index = 0
        var sentence = 0
        func close() {
            let isPlain = text.frequencies.isEmpty
            chunks.append(
                Chunk(
                    symbols: first..<index, bytes: bytes,
                    copies: isPlain ? nil : SentenceCopies(starts: starts, copies: copies)))
            (first, bytes, starts, copies) = (index, 0, [], [])
        }
        while index < text.symbols.count {
            let start = index
            var size = 1
            while text.symbols[index] != SymbolText.end {
                size += UTF8Scalars.announcedLength(text.alphabet.firstBytes[Int(text.symbols[index])])
                index += 1
            }
            index += 1
            let room = Int64((chunkBytes - bytes + size - 1) / size)
            let fitting = min(text.frequency(ofSentence: sentence), room)
            bytes += Int(fitting) * size
            if !text.frequencies.isEmpty {
                starts.append(Int32(start))
                copies.append(fitting)
            }
            sentence += 1
            if bytes >= chunkBytes { close() }
        }
        if first < index { close() }
        return chunks
    }

    /// Two lists in the order of their bytes become one.
    private func merge(_ left: [SeedCandidate], _ right: [SeedCandidate]) -> [SeedCandidate] {
        var result: [SeedCandidate] = []
        result.reserveCapacity(left.count + right.count)
        var (i, j) = (0, 0)
        while i < left.count, j < right.count {
            let (first, second) = (symbols(of: left[i]), symbols(of: right[j]))
            if first.elementsEqual(second) {
                var sum = left[i]
                sum.count += right[j].count
                result.append(sum)
                i += 1
                j += 1
            } else if first.lexicographicallyPrecedes(second) {
                result.append(left[i])
                i += 1
            } else {
                result.append(right[j])
                j += 1
            }
        }
        return result + left[i...] + right[j...]
    }
}

/// The order that sorts keys ascending; equal ones keep theirs. By radix, 16 bits at a time.
func stableOrder(of keys: [UInt64]) -> [Int] {
    var order = Array(keys.indices)
    var moved = order
    for shift in stride(from: 0 as UInt64, to: 64, by: 16) {
        var counts = [Int](repeating: 0, count: 65537)
        for key in keys { counts[Int(key >> shift & 0xFFFF) + 1] += 1 }
        if counts.contains(keys.count) { continue }
        for index in 1...65536 { counts[index] += counts[index - 1] }
        for index in order {
            let digit = Int(keys[index] >> shift & 0xFFFF)
            moved[counts[digit]] = index
            counts[digit] += 1
        }
        swap(&order, &moved)
    }
    return order
}
