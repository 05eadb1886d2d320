/// How many bytes of text the pieces of a tokenizer stand for.
///
/// Where normalization changes nothing but spaces at the ends, as with LLaMA's tokenizer, the targets of all blocks
/// together have the bytes of the text; elsewhere they have those of the normalized text.
public struct PieceBytes: Sendable, Equatable {
    private let counts: [Int32]
    /// For each id whether its text begins with a space; empty where documents get none put before them.
    private let beginsWithSpace: [Bool]

    /// - Parameters:
    ///   - counts: for each id the bytes that it decodes to within a text; 0 for what is no text.
    ///   - beginsWithSpace: for tokenizers that put a space before every document, whether an id's text begins with one.
    public init(counts: [Int32], beginsWithSpace: [Bool] = []) {
        precondition(beginsWithSpace.isEmpty || beginsWithSpace.count == counts.count, "one entry for each id")
        self.counts = counts
        self.beginsWithSpace = beginsWithSpace
    }

    /// Bytes of text that a row's targets stand for.
    func count(_ row: PackedBlocks.Row, beginID: Int32?) -> Int {
        var sum = 0
        for (token, target) in zip(row.tokens, row.targets) where counts.indices.contains(Int(target)) {
            sum += Int(counts[Int(target)])
            // The space before a document is the tokenizer's own.
            if token == beginID, !beginsWithSpace.isEmpty, beginsWithSpace[Int(target)] { sum -= 1 }
        }
        return sum
    }
}
