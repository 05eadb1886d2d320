import Foundation

/// The pieces that a unigram model is chosen from: numbers of characters side by side, with a score each.
struct ScoredPieces: Sendable {
    /// All pieces' symbols, one piece after the other.
    private(set) var symbols: [Int32] = []
    /// Where each piece begins; one more entry for the end.
    private(set) var starts: [Int32] = [0]
    /// Weights at first, then natural logarithms of probabilities.
    var scores: [Float] = []

    var count: Int { scores.count }

    func range(of piece: Int) -> Range<Int> { Int(starts[piece])..<Int(starts[piece + 1]) }

    subscript(piece: Int) -> ArraySlice<Int32> { symbols[range(of: piece)] }

    mutating func reserve(pieces: Int, symbols count: Int) {
        symbols.reserveCapacity(count)
        starts.reserveCapacity(pieces + 1)
        scores.reserveCapacity(pieces)
    }

    mutating func append(_ piece: some Collection<Int32>, score: Float) {
        symbols.append(contentsOf: piece)
        starts.append(Int32(symbols.count))
        scores.append(score)
    }

    /// The pieces of a list of numbers, in its order.
    func selecting(_ pieces: [Int32]) -> ScoredPieces {
        var result = ScoredPieces()
        result.reserve(pieces: pieces.count, symbols: symbols.count)
        for piece in pieces { result.append(self[Int(piece)], score: scores[Int(piece)]) }
        return result
    }

    /// Weights become logarithms of their share: the sum in double precision, each share rounded to single.
    mutating func takeLogarithms() {
        var sum = 0.0
        for score in scores { sum += Double(score) }
        let logSum = log(sum)
        for index in scores.indices { scores[index] = Float(log(Double(scores[index])) - logSum) }
    }
}
