import Corpora
import Partitioning
import Tokenizers

/// Reads texts once: segments their documents on several threads, and hands what is made of them over in order.
///
/// Memory holds a few megabytes of text at a time and what is made of it.
func forEachStretch<Value: Sendable>(
    of paths: [String], _ spelling: PieceSpelling, threads: Int,
    _ transform: @Sendable (ArraySlice<SegmentedText>) -> Value, merge: (Value) -> Void
) throws {
    for path in paths {
        var reader = try DocumentReader(path)
        _ = try reduceInBatches(
            into: [Value](), batchBytes: 1 << 22, threads: threads,
            next: { try reader.next().map { ($0, $0.count + 1) } },
            transform: { documents in
                let texts = documents.map { SegmentedText($0, spelling) }
                return [transform(texts[...])]
            },
            merge: { for value in $1 { merge(value) } })
    }
}

/// How often each piece of a tokenizer and each character comes in texts.
struct TextCounts: Sendable {
    /// For each id.
    private(set) var pieces: [Int]
    private(set) var scalars: [UInt32: Int] = [:]

    private init(pieceCount: Int) {
        pieces = [Int](repeating: 0, count: pieceCount)
    }

    init(of paths: [String], _ spelling: PieceSpelling, threads: Int) throws {
        var counts = TextCounts(pieceCount: spelling.tokenizer.count)
        let empty = counts
        try forEachStretch(of: paths, spelling, threads: threads) { texts in
            var counts = empty
            for text in texts { counts.add(text) }
            return counts
        } merge: { other in
            for id in counts.pieces.indices { counts.pieces[id] += other.pieces[id] }
            counts.scalars.merge(other.scalars, uniquingKeysWith: +)
        }
        self = counts
    }

    private mutating func add(_ text: SegmentedText) {
        for id in text.ids { pieces[Int(id)] += 1 }
        for scalar in text.scalars { scalars[scalar, default: 0] += 1 }
    }
}
