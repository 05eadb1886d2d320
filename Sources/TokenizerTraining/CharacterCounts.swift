import Partitioning
import UnicodeText

/// How often each character occurs; NUL is left out.
struct CharacterCounts: Sendable {
    private var basic = [Int64](repeating: 0, count: 0x10000)
    private var other: [UInt32: Int64] = [:]

    init() {}

    init(of sentences: TrainingSentences, threads: Int) throws {
        let blocks = partitions(of: sentences.count, into: max(1, min(threads, sentences.count)))
        let counted = try concurrentMap(count: blocks.count, threads: threads) { block in
            var counts = CharacterCounts()
            sentences.bytes.withUnsafeBufferPointer { bytes in
                for index in blocks[block] {
                    counts.add(
                        UnsafeBufferPointer(rebasing: bytes[sentences.range(of: index)]), sentences.frequency(of: index)
                    )
                }
            }
            return counts
        }
        for counts in counted { add(counts) }
    }

    /// Counts the characters of well-formed UTF-8, each `count` times.
    @inline(__always)
    mutating func add(_ text: UnsafeBufferPointer<UInt8>, _ count: Int64) {
        var position = 0
        while position < text.count {
            let (scalar, length) = UTF8Scalars.decode(text, at: position)
            if scalar < 0x10000 { basic[Int(scalar)] += count } else { other[scalar, default: 0] += count }
            position += length
        }
    }

    mutating func add(_ counts: CharacterCounts) {
        for scalar in basic.indices { basic[scalar] += counts.basic[scalar] }
        other.merge(counts.other, uniquingKeysWith: +)
    }

    /// The characters that occur, in no telling order.
    var all: [(scalar: UInt32, count: Int64)] {
        var result = other.map { ($0.key, $0.value) }
        for (scalar, count) in basic.enumerated() where count > 0 && scalar > 0 {
            result.append((UInt32(scalar), count))
        }
        return result
    }
}
