import PieceModel

/// The names of control and unknown pieces: a tokenizer.json cuts them out of a text before anything is merged, and a
/// SentencePiece model never does. What holds one would get other ids from the one than from the other.
struct ReservedNames {
    /// With ▁ for spaces, as pieces are written.
    private let names: ByteStringTable
    private let lengths: [Int]
    /// Whether a name begins with a byte.
    private let begins: [Bool]

    /// - Parameter more: names of control pieces that are to follow.
    init(_ model: SentencePieceModel, and more: [String]) {
        let found = model.pieces.filter { $0.type == .control || $0.type == .unknown }.map(\.piece) + more
        var table = ByteStringTable()
        var begins = [Bool](repeating: false, count: 256)
        var lengths: Set<Int> = []
        for name in found.map({ Array($0.replacing(" ", with: "▁").utf8) }) where !name.isEmpty {
            table.insert(name)
            begins[Int(name[0])] = true
            lengths.insert(name.count)
        }
        (names, self.lengths, self.begins) = (table, lengths.sorted(), begins)
    }

    func isFound(in text: [UInt8]) -> Bool {
        text.indices.contains { start in
            begins[Int(text[start])]
                && lengths.contains { length in
                    start + length <= text.count && names.index(of: text[start..<start + length]) != nil
                }
        }
    }
}
