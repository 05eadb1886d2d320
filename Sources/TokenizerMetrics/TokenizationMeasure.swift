import FileIO
import Partitioning
import PieceModel
public import Tokenizers
import UnicodeText

/// What tokenizers make of one file of texts, one text a line.
public struct TokenizationMeasure: Sendable {
    /// Lines that are not empty.
    public var texts = 0
    /// Code points, line ends not counted.
    public var characters = 0
    /// UTF-8 bytes, line ends not counted.
    public var bytes = 0
    /// One for each tokenizer, in their order.
    public var counts: [Count]

    public struct Count: Sendable {
        public var tokens = 0
        /// Tokens that stand for a single byte, since no piece holds the character.
        public var fallbackTokens = 0
        /// Tokens that stand for unknown text.
        public var unknownTokens = 0
        /// Texts whose ids differ from those that the first tokenizer gives.
        public var changedTexts = 0
    }

    /// Measures a file with several tokenizers; lines are shared out over the cores.
    ///
    /// - Throws: `FileError`.
    public init(file path: String, tokenizers: [Tokenizer]) throws {
        counts = tokenizers.map { _ in Count() }
        var batch: [[UInt8]] = []
        var batchBytes = 0
        func measureBatch() throws {
            let lines = batch
            let parts = partitions(of: lines.count, into: 64)
            let measured = try concurrentMap(count: parts.count) { part in
                var measure = TokenizationMeasure(tokenizerCount: tokenizers.count)
                for line in lines[parts[part]] { measure.add(line, tokenizers) }
                return measure
            }
            for measure in measured { add(measure) }
            batch.removeAll(keepingCapacity: true)
            batchBytes = 0
        }
        try forEachLine(of: path) { line in
            if line.isEmpty { return }
            batch.append(Array(line))
            batchBytes += line.count
            if batchBytes > 1 << 24 { try measureBatch() }
        }
        try measureBatch()
    }

    private init(tokenizerCount: Int) {
        counts = (0..<tokenizerCount).map { _ in Count() }
    }

    private mutating func add(_ line: [UInt8], _ tokenizers: [Tokenizer]) {
        texts += 1
        bytes += line.count
        characters += line.count { $0 & 0xC0 != 0x80 }
        var firstIDs: [PieceID] = []
        for (index, tokenizer) in tokenizers.enumerated() {
            let ids = line.withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }
            if index == 0 { firstIDs = ids }
            counts[index].tokens += ids.count
            counts[index].fallbackTokens += ids.count { tokenizer.vocabulary.type(of: $0) == .byte }
            counts[index].unknownTokens += ids.count { tokenizer.vocabulary.type(of: $0) == .unknown }
            if ids != firstIDs { counts[index].changedTexts += 1 }
        }
    }

    private mutating func add(_ other: TokenizationMeasure) {
        texts += other.texts
        characters += other.characters
        bytes += other.bytes
        for index in counts.indices {
            counts[index].tokens += other.counts[index].tokens
            counts[index].fallbackTokens += other.counts[index].fallbackTokens
            counts[index].unknownTokens += other.counts[index].unknownTokens
            counts[index].changedTexts += other.counts[index].changedTexts
        }
    }
}
