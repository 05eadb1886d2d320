import PieceModel
import SeededRandom
import TestSupport
import Testing

@testable import Tokenizers

private let small: [(String, Float)] = [
    ("ab", 0), ("cd", -0.1), ("abc", -0.2), ("a", -0.3), ("b", -0.4), ("c", -0.5), ("ABC", -0.5), ("abcdabcd", -0.5),
    ("q", -0.5), ("r", -0.5), ("qr", -0.5),
]

struct BPESegmentationTests {
    private func pieces(_ text: String, _ tokenizer: Tokenizer) -> [String] {
        tokenizer.encodePieces(text).map(\.text)
    }

    // Vectors of sentencepiece's own bpe_model_test.
    @Test(arguments: [
        ("", []), ("abc", ["abc"]), ("AB", ["AB"]), ("abcd", ["ab", "cd"]), ("abcc", ["abc", "c"]),
        ("xabcabaabcdd", ["x", "abc", "ab", "a", "ab", "cd", "d"]), ("xyz東京", ["xyz東京"]), ("ABC", ["ABC"]),
        ("abABCcd", ["ab", "ABC", "cd"]), ("ababcdabcdcd", ["ab", "abcdabcd", "cd"]),
        ("abqrcd", ["ab", "q", "r", "cd"]),
    ])
    func `merges as sentencepiece does`(text: String, expected: [String]) throws {
        let tokenizer = try Tokenizer(model(small, userDefined: ["ABC", "abcdabcd", "q", "r", "qr"]))
        // Frozen pieces aside, unknown runs are one piece.
        let frozen = try Tokenizer(model(small, userDefined: ["ABC", "abcdabcd", "q", "r"]))
        #expect(pieces(text, text.contains("qr") ? frozen : tokenizer) == expected)
    }

    @Test func `unused pieces are taken apart again`() throws {
        let entries: [(String, Float)] = [
            ("abcd", 10), ("abc", 5), ("ab", 2), ("cd", 1), ("a", 0), ("b", 0), ("c", 0), ("d", 0),
        ]
        #expect(pieces("abcd", try Tokenizer(model(entries))) == ["abcd"])
        #expect(pieces("abcd", try Tokenizer(model(entries, unused: ["abcd"]))) == ["abc", "d"])
        #expect(pieces("abcd", try Tokenizer(model(entries, unused: ["abcd", "abc"]))) == ["ab", "c", "d"])
        #expect(pieces("abcd", try Tokenizer(model(entries, unused: ["abcd", "ab"]))) == ["abc", "d"])
    }

    @Test func `equal scores merge leftmost first`() throws {
        let tokenizer = try Tokenizer(model([("aa", -1), ("a", -2)]))
        #expect(pieces("aaaaa", tokenizer) == ["aa", "aa", "a"])
    }

    @Test func `unknown characters fall back to bytes`() throws {
        let tokenizer = try Tokenizer(model([("a", -1)], byteFallback: true))
        #expect(pieces("a里", tokenizer) == ["a", "<0xE9>", "<0x87>", "<0x8C>"])
        // Byte pieces begin at id 3.
        #expect(tokenizer.encode("里") == [236, 138, 143])
    }

    @Test func `plus zero is better than minus zero`() throws {
        let tokenizer = try Tokenizer(model([("ab", -0.0), ("bc", 0), ("a", -1), ("b", -1), ("c", -1)]))
        #expect(pieces("abc", tokenizer) == ["a", "bc"])
    }

    @Test func `dropping every merge leaves characters, dropping none all merges`() throws {
        let tokenizer = try Tokenizer(model(small))
        var generator = SplitMix64(seed: 1, stream: 0)
        func sample(_ alpha: Float) throws -> [String] {
            try tokenizer.sample("abcd", SamplingOptions(alpha: alpha), using: &generator).map(\.piece)
        }
        #expect(try sample(0) == ["ab", "cd"])
        #expect(try sample(1) == ["a", "b", "c", "d"])
    }

    @Test func `half of the merges dropped give every way in its share`() throws {
        let tokenizer = try Tokenizer(model([("ab", -1), ("a", -2), ("b", -2)]))
        var merged = 0
        for stream in 0..<4000 {
            var generator = SplitMix64(seed: 5, stream: stream)
            let found = try tokenizer.sample("ab", SamplingOptions(alpha: 0.25), using: &generator)
            if found.count == 1 { merged += 1 }
        }
        // Three quarters, four standard deviations either way.
        #expect((2890...3110).contains(merged))
    }

    /// Merges by looking at all pairs each time: what the agenda must equal.
    private func slowPieces(_ text: String, _ scores: [String: Float]) -> [String] {
        var parts = text.unicodeScalars.map { String($0) }
        while true {
            var best: (score: Float, index: Int)?
            for index in parts.indices.dropLast() {
                guard let score = scores[parts[index] + parts[index + 1]] else { continue }
                if best.map({ score > $0.score }) ?? true { best = (score, index) }
            }
            guard let (_, index) = best else { return parts }
            parts[index] += parts.remove(at: index + 1)
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `equals the slow reference on random models`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let letters = ["a", "b", "c", "中", "国"]
        var scores: [String: Float] = [:]
        for _ in 0..<60 {
            let piece = (0..<Int.random(in: 1...4, using: &generator)).map { _ in
                letters.randomElement(using: &generator)!
            }
            .joined()
            scores[piece] = Float(-Int.random(in: 0..<20, using: &generator))
        }
        for letter in letters { scores[letter] = -30 }
        let entries = scores.sorted { $0.key < $1.key }.map { ($0.key, $0.value == 0 ? 0 : $0.value) }
        let tokenizer = try Tokenizer(model(entries))
        for round in 0..<20 {
            // Long ones go by a queue instead of looking at all pairs.
            let text = (0..<Int.random(in: 1...(round < 15 ? 30 : 200), using: &generator)).map { _ in
                letters.randomElement(using: &generator)!
            }
            .joined()
            #expect(pieces(text, tokenizer) == slowPieces(text, scores), "seed \(seed), text \(text)")
        }
    }
}
