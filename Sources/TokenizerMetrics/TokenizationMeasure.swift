import FileIO
import Partitioning
import PieceModel
public import Tokenizers

/// What tokenizers make of one file of texts, one text a line.
public struct TokenizationMeasure: Sendable {
    /// What the texts are made of.
    public private(set) var text = TextMakeup()
    /// One for each tokenizer, in their order.
    public private(set) var counts: [Count]

    /// Lines that are not empty.
    public var texts: Int { text.texts }
    /// Code points, line ends not counted.
    public var characters: Int { text.characters }
    /// UTF-8 bytes, line ends not counted.
    public var bytes: Int { text.bytes }

    public struct Count: Sendable {
        public var tokens = 0
        /// Tokens that stand for a single byte, since no piece holds the character.
        public var fallbackTokens = 0
        /// Tokens that stand for unknown text.
        public var unknownTokens = 0
        /// Texts whose ids differ from those that the first tokenizer gives.
        public var changedTexts = 0
        /// How often each entry comes.
        public var uses: EntryUses
    }

    /// Measures a file with several tokenizers; lines are shared out over the cores.
    ///
    /// - Throws: `FileError`.
    public init(file path: String, tokenizers: [Tokenizer]) throws {
        var reader = try LineReader(path)
        self = try reduceInBatches(
            into: TokenizationMeasure(tokenizers),
            next: { try reader.withNextLine { (Array($0), $0.count + 1) } },
            transform: { lines in
                var measure = TokenizationMeasure(tokenizers)
                for line in lines where !line.isEmpty { measure.add(line, tokenizers) }
                return measure
            },
            merge: { $0.add($1) })
    }

    private init(_ tokenizers: [Tokenizer]) {
        counts = tokenizers.map { Count(uses: EntryUses(entries: $0.count)) }
    }

    private mutating func add(_ line: [UInt8], _ tokenizers: [Tokenizer]) {
        line.withUnsafeBufferPointer { text.add($0) }
        var firstIDs: [PieceID] = []
        for (index, tokenizer) in tokenizers.enumerated() {
            let ids = line.withUnsafeBufferPointer { tokenizer.encode(utf8: $0) }
            if index == 0 { firstIDs = ids }
            counts[index].tokens += ids.count
            counts[index].fallbackTokens += ids.count { tokenizer.vocabulary.type(of: $0) == .byte }
            counts[index].unknownTokens += ids.count { tokenizer.vocabulary.type(of: $0) == .unknown }
            if ids != firstIDs { counts[index].changedTexts += 1 }
            counts[index].uses.add(ids)
        }
    }

    private mutating func add(_ other: TokenizationMeasure) {
        text.add(other.text)
        for index in counts.indices {
            counts[index].tokens += other.counts[index].tokens
            counts[index].fallbackTokens += other.counts[index].fallbackTokens
            counts[index].unknownTokens += other.counts[index].unknownTokens
            counts[index].changedTexts += other.counts[index].changedTexts
            counts[index].uses.add(other.counts[index].uses)
        }
    }
}
