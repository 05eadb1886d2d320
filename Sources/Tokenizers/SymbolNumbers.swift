import PieceModel
import UnicodeText

/// Numbers the symbols of a BPE vocabulary and lists which pairs of them make a piece.
struct SymbolNumbers {
    private let vocabulary: Vocabulary
    /// Characters that are parts of pieces but no segmentable pieces themselves.
    private var characters = ByteStringTable()

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
    }

    /// Every way to cut a piece in two symbols.
    mutating func makePairs(_ vocabulary: Vocabulary) -> PairTable {
        var table = PairTable(minimumCapacity: vocabulary.count * 4)
        for index in 0..<vocabulary.count {
            let id = PieceID(index)
            guard vocabulary.isSegmentable(id) else { continue }
            let text = Array(vocabulary.bytes(of: id))
            // The piece that its text is looked up as; a reserved namesake is never segmented to.
            guard let found = vocabulary.id(of: text), found == id else { continue }
            text.withUnsafeBufferPointer { text in
                var cut = UTF8Scalars.announcedLength(text[0])
                while cut < text.count {
                    if let left = number(of: UnsafeBufferPointer(rebasing: text[..<cut])),
                        let right = number(of: UnsafeBufferPointer(rebasing: text[cut...]))
                    {
                        table.insert(left, right, makes: id.rawValue)
                    }
                    cut += UTF8Scalars.announcedLength(text[cut])
                }
            }
        }
        return table
    }

    /// The number of a symbol: a segmentable piece's id, or a lone character's number beyond the ids.
    private mutating func number(of text: UnsafeBufferPointer<UInt8>) -> Int32? {
        if let id = vocabulary.id(of: text), vocabulary.isSegmentable(id) { return id.rawValue }
        guard UTF8Scalars.decode(text, at: 0).length == text.count else { return nil }
        return Int32(vocabulary.count + characters.insert(text).index)
    }

    /// The bytes of each symbol, by number.
    func lengths() -> [Int32] {
        (0..<vocabulary.count).map { Int32(vocabulary.bytes(of: PieceID($0)).count) }
            + (0..<characters.count).map { Int32(characters[$0].count) }
    }

    /// The symbol of each character: below U+10000 by code point, above by look-up.
    func characterTables() -> (basic: [Int32], other: [UInt32: Int32]) {
        var basic = [Int32](repeating: -1, count: 0x10000)
        var other: [UInt32: Int32] = [:]
        func add(_ text: ArraySlice<UInt8>, _ number: Int32) {
            Array(text).withUnsafeBufferPointer { text in
                let (scalar, length) = UTF8Scalars.decode(text, at: 0)
                guard length == text.count else { return }
                if scalar < 0x10000 { basic[Int(scalar)] = number } else { other[scalar] = number }
            }
        }
        for index in 0..<characters.count { add(characters[index], Int32(vocabulary.count + index)) }
        for index in 0..<vocabulary.count where vocabulary.isSegmentable(PieceID(index)) {
            add(vocabulary.bytes(of: PieceID(index)), Int32(index))
        }
        return (basic, other)
    }
}
