import Partitioning
import PieceModel

/// The normalized sentences of a corpus in training order.
///
/// Spaces are ▁, special pieces and delimiters are U+001F; characters outside the alphabet still stand as they are.
/// The content does not depend on the number of threads.
struct TrainingSentences: Sendable {
    /// All sentences, one after the other.
    private(set) var bytes: [UInt8] = []
    /// Where each sentence ends in `bytes`. None is empty.
    private(set) var ends: [Int] = []
    /// How often each occurs; empty if each occurs once.
    private(set) var frequencies: [Int64] = []
    private(set) var tally = LineTally()

    var count: Int { ends.count }

    func range(of index: Int) -> Range<Int> {
        (index == 0 ? 0 : ends[index - 1])..<ends[index]
    }

    @inline(__always)
    func frequency(of index: Int) -> Int64 {
        frequencies.isEmpty ? 1 : frequencies[index]
    }

    /// Reads, chooses and normalizes the sentences of a corpus.
    ///
    /// - Throws: `TrainingError` if no line can be used or a line is not what the input format asks for, `FileError`.
    init(_ corpus: TrainingCorpus, preparation: SentencePreparation) throws {
        var blocks: [Block] = []
        tally = try corpus.map(preparation) { part in
            var block = Block()
            let tally = try preparation.forEachSentence(of: part) { block.append(preparation.normalize($0), $1) }
            return (block, tally)
        } take: {
            blocks.append($0)
        }
        join(blocks)
    }

    /// What one part of the corpus gives.
    private struct Block: Sendable {
        var bytes: [UInt8] = []
        var lengths: [Int32] = []
        var frequencies: [Int64] = []

        mutating func append(_ sentence: [UInt8], _ frequency: Int64) {
            bytes.append(contentsOf: sentence)
            lengths.append(Int32(sentence.count))
            if frequency != 1, frequencies.isEmpty {
                frequencies = [Int64](repeating: 1, count: lengths.count - 1)
            }
            if frequency != 1 || !frequencies.isEmpty { frequencies.append(frequency) }
        }
    }

    /// Puts the blocks together and takes out empty sentences as sentencepiece does: the last one takes their place.
    private mutating func join(_ blocks: [Block]) {
        bytes.reserveCapacity(blocks.reduce(0) { $0 + $1.bytes.count })
        ends.reserveCapacity(blocks.reduce(0) { $0 + $1.lengths.count })
        let isWeighted = blocks.contains { !$0.frequencies.isEmpty }
        var hasEmpty = false
        for block in blocks {
            let start = bytes.count
            bytes.append(contentsOf: block.bytes)
            var end = start
            for length in block.lengths {
                end += Int(length)
                ends.append(end)
                hasEmpty = hasEmpty || length == 0
            }
            if isWeighted {
                frequencies.append(contentsOf: block.frequencies)
                let missing = block.lengths.count - block.frequencies.count
                frequencies.append(contentsOf: repeatElement(1, count: missing))
            }
        }
        if hasEmpty { reorder(orderWithoutEmpty()) }
    }

    private func orderWithoutEmpty() -> [Int] {
        var order = Array(ends.indices)
        var index = 0
        while index < order.count {
            if range(of: order[index]).isEmpty {
                order.swapAt(index, order.count - 1)
                order.removeLast()
            } else {
                index += 1
            }
        }
        return order
    }

    private mutating func reorder(_ order: [Int]) {
        var newBytes: [UInt8] = []
        newBytes.reserveCapacity(bytes.count)
        var newEnds: [Int] = []
        newEnds.reserveCapacity(order.count)
        for index in order {
            newBytes.append(contentsOf: bytes[range(of: index)])
            newEnds.append(newBytes.count)
        }
        if !frequencies.isEmpty { frequencies = order.map { frequencies[$0] } }
        bytes = newBytes
        ends = newEnds
    }
}
