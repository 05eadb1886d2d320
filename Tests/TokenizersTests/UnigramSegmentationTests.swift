import PieceModel
import TestSupport
import Testing

@testable import Tokenizers

struct UnigramSegmentationTests {
    @Test func `takes the path of the highest score`() throws {
        let tokenizer = try Tokenizer(
            model(
                [
                    ("ab", 0), ("cd", -0.1), ("abc", -0.2), ("a", -0.3), ("b", -0.4), ("c", -0.5), ("ABC", -0.5),
                    ("d", -9),
                ],
                type: .unigram))
        #expect(tokenizer.encodePieces("abcd").map(\.text) == ["ab", "cd"])
        #expect(tokenizer.encodePieces("abcc").map(\.text) == ["abc", "c"])
        #expect(tokenizer.encodePieces("xyz東京a").map(\.text) == ["xyz東京", "a"])
        #expect(tokenizer.encode("xyz東京a").map(\.rawValue) == [0, 6])
    }

    /// The best score over all ways to cut a text; unknown characters cost 10 more than the lowest piece.
    private func bestScore(_ text: [Character], _ scores: [String: Float]) -> Float {
        var best: [Float] = [0]
        let unknown = (scores.values.min() ?? 0) - 10
        for end in 1...text.count {
            var top = -Float.infinity
            for start in 0..<end {
                let piece = String(text[start..<end])
                if let score = scores[piece] {
                    top = max(top, best[start] + score)
                } else if end - start == 1 {
                    top = max(top, best[start] + unknown)
                }
            }
            best.append(top)
        }
        return best[text.count]
    }

    @Test(arguments: 0..<30 as Range<UInt64>)
    func `reaches the best score on random models`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let letters: [Character] = ["a", "b", "中", "国", "é"]
        var scores: [String: Float] = [:]
        for _ in 0..<40 {
            let length = Int.random(in: 1...4, using: &generator)
            let piece = String((0..<length).map { _ in letters.randomElement(using: &generator)! })
            // Multiples of 1/8 add without rounding.
            scores[piece] = -Float(Int.random(in: 1...64, using: &generator)) / 8
        }
        let entries = scores.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
        let tokenizer = try Tokenizer(model(entries, type: .unigram))
        for _ in 0..<20 {
            let text = (0..<Int.random(in: 1...20, using: &generator)).map { _ in
                letters.randomElement(using: &generator)!
            }
            let unknown = (scores.values.min() ?? 0) - 10
            let score = tokenizer.encodePieces(String(text)).reduce(Float(0)) { sum, piece in
                sum + (scores[piece.text] ?? unknown * Float(piece.text.count))
            }
            #expect(score == bestScore(text, scores), "seed \(seed), text \(String(text))")
        }
    }
}
