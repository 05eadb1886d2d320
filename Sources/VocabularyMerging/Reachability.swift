public import PieceModel
public import Tokenizers
import UnicodeText

/// Which rows of a BPE vocabulary text can become, and what the others lack.
///
/// A row is reached if its own text, normalized already, is encoded to it and nothing else. That takes a chain: some way
/// to join its characters, two neighbours at a time, in which each join makes a piece; and of the merges that are possible
/// on the way those with the best scores must be the chain's.
public struct Reachability: Sendable {
    private let vocabulary: Vocabulary
    private let tokenizer: Tokenizer

    /// - Throws: `PieceModelError` for a model that sentencepiece refuses.
    public init(_ model: SentencePieceModel) throws(PieceModelError) {
        tokenizer = try Tokenizer(model.withoutNormalization)
        vocabulary = tokenizer.vocabulary
    }

    /// The rows that are asked about: the normal pieces. Others have meanings of their own.
    public var rows: [PieceID] {
        (0..<vocabulary.count).map { PieceID($0) }.filter { vocabulary.type(of: $0) == .normal }
    }

    /// What the text of a row is cut into.
    public func pieces(of id: PieceID) -> [PieceID] {
        withContiguousBytes(vocabulary.bytes(of: id)) { tokenizer.encode(utf8: $0) }
    }

    /// Whether the text of a row is encoded to the row.
    public func isReached(_ id: PieceID) -> Bool {
        pieces(of: id) == [id]
    }

    /// The rows that are never reached, in id order.
    public var unreachedRows: [PieceID] {
        rows.filter { !isReached($0) }
    }

    /// Whether there is a chain of merges that makes a row, whatever the scores say.
    public func hasChain(_ id: PieceID) -> Bool {
        bridges(for: id).isEmpty
    }

    /// The fewest further pieces with which a row has a chain, shorter ones first; none if it has one.
    ///
    /// Nothing is known of rows of more than 256 characters: of them all but the unreached count as having a chain, and
    /// these lack themselves.
    public func bridges(for id: PieceID) -> [String] {
        let text = Array(vocabulary.bytes(of: id))
        let starts = characterStarts(of: text)
        let count = starts.count - 1
        if count > MergeTree.mostParts { return isReached(id) ? [] : [vocabulary.text(of: id)] }
        func bytes(_ characters: Range<Int>) -> ArraySlice<UInt8> {
            text[starts[characters.lowerBound]..<starts[characters.upperBound]]
        }
        let tree = MergeTree(count: count) { isMergeable(bytes($0)) ? 0 : 1 }
        var missing: [ArraySlice<UInt8>] = []
        for node in tree.nodes.map(bytes) where !isMergeable(node) && !missing.contains(node) { missing.append(node) }
        return missing.map { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether a piece can stand between a row and its characters: unused ones can.
    private func isMergeable(_ text: ArraySlice<UInt8>) -> Bool {
        guard let id = vocabulary.id(of: text) else { return false }
        let type = vocabulary.type(of: id)
        return type == .normal || type == .unused
    }
}

/// Where the characters of a text begin, and its end.
func characterStarts(of text: [UInt8]) -> [Int] {
    text.withUnsafeBufferPointer { text in
        var starts = [0]
        while let start = starts.last, start < text.count {
            starts.append(start + UTF8Scalars.decode(text, at: start).length)
        }
        return starts
    }
}
