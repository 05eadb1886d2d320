import PieceModel
import Tokenizers

/// Finds the merge that keeps a piece of a BPE model from being made: slow and plain, for the few pieces that have to be
/// explained.
struct FatalMerge {
    private let vocabulary: Vocabulary
    /// The piece's characters.
    private let characters: [[UInt8]]

    /// Longer pieces are not looked into: the work grows with the fourth power of the length.
    static let mostCharacters = 64

    /// Nil for a piece that is too long.
    init?(of id: PieceID, in vocabulary: Vocabulary) {
        self.vocabulary = vocabulary
        characters = vocabulary.text(of: id).unicodeScalars.map { Array(String($0).utf8) }
        if characters.count > Self.mostCharacters { return nil }
    }

    /// What the merge makes after which no chain of merges leads to the whole piece any more; nil if none does.
    ///
    /// Merges are done as a BPE model does them: the best score first, the leftmost of equal ones.
    func find() -> PieceID? {
        var symbols = characters.indices.map { $0..<$0 + 1 }
        while let (place, made) = bestMerge(of: symbols) {
            symbols[place] = symbols[place].lowerBound..<symbols[place + 1].upperBound
            symbols.remove(at: place + 1)
            if !hasChain(from: symbols) { return made }
        }
        return nil
    }

    /// Whether merges of two neighbours each can make the piece of symbols that lie side by side.
    private func hasChain(from symbols: [Range<Int>]) -> Bool {
        let count = symbols.count
        var isMade = [[Bool]](repeating: [Bool](repeating: false, count: count + 1), count: count)
        for start in 0..<count { isMade[start][start + 1] = true }
        for length in stride(from: 2, through: count, by: 1) {
            for start in 0...count - length {
                let end = start + length
                isMade[start][end] =
                    entry(symbols[start].lowerBound..<symbols[end - 1].upperBound) != nil
                    && (start + 1..<end).contains { isMade[start][$0] && isMade[$0][end] }
            }
        }
        return isMade[0][count]
    }

    private func bestMerge(of symbols: [Range<Int>]) -> (place: Int, made: PieceID)? {
        var best: (place: Int, made: PieceID)?
        for place in symbols.indices.dropLast() {
            guard let made = entry(symbols[place].lowerBound..<symbols[place + 1].upperBound) else { continue }
            if let best, !isBetter(vocabulary.score(of: made), vocabulary.score(of: best.made)) { continue }
            best = (place, made)
        }
        return best
    }

    /// The entry that symbols of these characters merge into; nil if there is none.
    private func entry(_ range: Range<Int>) -> PieceID? {
        vocabulary.id(of: Array(characters[range].joined())).flatMap { id in
            let type = vocabulary.type(of: id)
            return type == .normal || type == .unused ? id : nil
        }
    }

    /// As sentencepiece 0.2.3 orders scores: +0 is better than -0.
    private func isBetter(_ left: Float, _ right: Float) -> Bool {
        left != right ? left > right : left.sign == .plus && right.sign == .minus
    }
}
