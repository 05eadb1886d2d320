import PieceModel
import UnicodeText

/// Characters as pieces: user-defined pieces first, then one character at a time.
struct CharacterSegmenter: Sendable {
    private let characters: CharacterNumbers
    private let userDefined: DoubleArrayTrie?
    private let isUnused: [Bool]
    private let pieceCount: Int
    private let unknownID: Int32

    init(_ vocabulary: Vocabulary) {
        characters = CharacterNumbers(SegmentablePieces(vocabulary: vocabulary))
        userDefined = vocabulary.userDefinedTrie()
        isUnused = vocabulary.types.map { $0 == .unused }
        pieceCount = vocabulary.count
        unknownID = vocabulary.unknownID?.rawValue ?? -1
    }

    /// Finds the pieces of the scratch's text.
    func segment(_ scratch: EncodingScratch) {
        characters.split(scratch, userDefined: userDefined)
        let count = scratch.symbols.count
        var output = PieceOutput(scratch, count: count, pieceCount: pieceCount, unknownID: unknownID)
        let (symbols, starts) = (scratch.symbols.base, scratch.starts.base)
        for index in 0..<count {
            let symbol = symbols[index]
            let isNone = symbol >= 0 && symbol < pieceCount && isUnused[Int(symbol)]
            output.append(isNone ? -1 : symbol, end: starts[index + 1])
        }
        output.commit(to: scratch)
    }
}

/// Words as pieces: each ▁ begins one, as does the text.
struct WordSegmenter: Sendable {
    private let vocabulary: Vocabulary
    private let unknownID: Int32

    init(_ vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        unknownID = vocabulary.unknownID?.rawValue ?? -1
    }

    /// Finds the pieces of the scratch's text.
    func segment(_ scratch: EncodingScratch) {
        let text = scratch.text.elements
        (scratch.ids.count, scratch.ends.count, scratch.hasUnknown) = (0, 0, false)
        var start = 0
        while start < text.count {
            let end = self.end(of: start, in: text)
            let found = vocabulary.segmentableID(of: UnsafeBufferPointer(rebasing: text[start..<end]))
            if let found, vocabulary.type(of: found) != .unused {
                scratch.appendPiece(found.rawValue, end: Int32(end))
            } else {
                scratch.appendPiece(unknownID, end: Int32(end))
                scratch.hasUnknown = true
            }
            start = end
        }
    }

    /// Where the word that begins at `start` ends: before the next ▁.
    private func end(of start: Int, in text: UnsafeBufferPointer<UInt8>) -> Int {
        var index = start
        repeat {
            index += min(UTF8Scalars.announcedLength(text[index]), text.count - index)
        } while index < text.count && !text[index...].starts(with: Normalizer.spaceMark)
        return index
    }
}
