import PieceModel
import SeededRandom
import TestSupport
import Testing

@testable import Tokenizers

struct LatticeTests {
    // The model and the order are those of sentencepiece's own test.
    private func tokenizer() throws -> Tokenizer {
        try Tokenizer(
            model([("A", 0), ("B", 0), ("C", 0), ("AB", 2), ("BC", 5), ("ABC", 10)], type: .unigram))
    }

    @Test func `the best segmentations come in order`() throws {
        let found = try tokenizer().nbest("ABC", count: 10)
        #expect(found.map { $0.pieces.map(\.piece) } == [["ABC"], ["A", "BC"], ["AB", "C"], ["A", "B", "C"]])
        #expect(found.map(\.score) == [10, 5, 2, 0])
        #expect(try tokenizer().nbest("ABC", count: 1).map { $0.pieces.map(\.piece) } == [["ABC"]])
        #expect(try tokenizer().nbest("", count: 3).map { $0.pieces.count } == [0])
        #expect(throws: TokenizerError.tooManyCandidates(asked: 513, limit: 512)) {
            try tokenizer().nbest("ABC", count: 513)
        }
    }

    @Test(arguments: 0..<20 as Range<UInt64>)
    func `no segmentation is left out`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var scores: [String: Float] = ["a": -1, "b": -2]
        for _ in 0..<8 {
            let piece = (0..<Int.random(in: 2...3, using: &generator)).map { _ in
                Bool.random(using: &generator) ? "a" : "b"
            }
            scores[piece.joined()] = -Float(Int.random(in: 1...40, using: &generator)) / 8
        }
        let text = (0..<8).map { _ in Bool.random(using: &generator) ? "a" : "b" }.joined()
        func all(_ rest: Substring) -> [[String]] {
            if rest.isEmpty { return [[]] }
            return (1...min(3, rest.count)).flatMap { length -> [[String]] in
                let piece = String(rest.prefix(length))
                return scores[piece] == nil ? [] : all(rest.dropFirst(length)).map { [piece] + $0 }
            }
        }
        func score(_ pieces: [String]) -> Float { pieces.reduce(0) { $0 + (scores[$1] ?? 0) } }
        let tokenizer = try Tokenizer(
            model(scores.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, type: .unigram))
        let found = try tokenizer.nbest(text, count: 512).map { $0.pieces.map(\.piece) }
        let expected = all(text[...])
        #expect(Set(found) == Set(expected), "seed \(seed), text \(text)")
        #expect(found.count == expected.count)
        #expect(found.map(score) == expected.map(score).sorted(by: >))
    }

    @Test func `samples follow the scores`() throws {
        let tokenizer = try tokenizer()
        var counts: [[String]: Int] = [:]
        for stream in 0..<8000 {
            var generator = SplitMix64(seed: 3, stream: stream)
            let options = SamplingOptions(candidates: -1, alpha: 0.2)
            counts[try tokenizer.sample("ABC", options, using: &generator).map(\.piece), default: 0] += 1
        }
        // exp(0.2 · score) over the sum of all, five standard deviations either way.
        let shares: [([String], Double)] = [
            (["ABC"], 10), (["A", "BC"], 5), (["AB", "C"], 2), (["A", "B", "C"], 0),
        ]
        let total = shares.reduce(0) { $0 + weight($1.1) }
        for (pieces, score) in shares {
            let expected = weight(score) / total * 8000
            let deviation = (expected * (1 - expected / 8000)).squareRoot()
            #expect(abs(Double(counts[pieces] ?? 0) - expected) < 5 * deviation)
        }
    }

    private func weight(_ score: Double) -> Double {
        var result = 1.0
        for _ in 0..<Int(score) { result *= 1.221402758160170 }
        return result
    }

    @Test func `the same numbers give the same sample`() throws {
        let tokenizer = try tokenizer()
        for candidates in [-1, 4] {
            let options = SamplingOptions(candidates: candidates, alpha: 0.1)
            var (one, two) = (SplitMix64(seed: 9, stream: 2), SplitMix64(seed: 9, stream: 2))
            let text = "ABCABCABCABC"
            #expect(
                try tokenizer.sample(text, options, using: &one) == tokenizer.sample(text, options, using: &two))
        }
    }
}
