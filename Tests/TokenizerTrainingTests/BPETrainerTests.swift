import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerTraining

/// Trains on lines with the identity normalizer and returns the pieces after the special ones.
private func train(
    _ lines: [String], size: Int32, threads: Int = 1, adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
) throws -> SentencePieceModel {
    try withTemporaryDirectory { directory in
        let path = directory + "/text.txt"
        try writeFile(path, (lines.joined(separator: "\n") + "\n").utf8)
        var specification = Sentencepiece_TrainerSpec()
        specification.input = [path]
        specification.modelType = .bpe
        specification.vocabSize = size
        specification.characterCoverage = 1
        adjust(&specification)
        var normalizer = Sentencepiece_NormalizerSpec()
        normalizer.name = "identity"
        normalizer.addDummyPrefix = false
        return try TokenizerTrainer(
            specification: specification, normalizerSpecification: normalizer, threads: threads
        ).train()
    }
}

private func learned(_ model: SentencePieceModel) -> [String] {
    model.pieces.filter { $0.type == .normal }.map(\.piece)
}

struct BPETrainerTests {
    // Vectors of sentencepiece's bpe_model_trainer_test.
    @Test(arguments: [
        (["abracadabra"], Int32(17), "ab ra abra ad cad abracad abracadabra ac br a b r c d"),
        (["pen", "pineapple", "apple"], 17, "ap le app apple en in ine pen p e a l n i"),
        (["hellohe"], 17, "he ll llo hello hellohe el lo oh hel ohe e h l o"),
    ])
    func `learns what sentencepiece learns`(lines: [String], size: Int32, expected: String) throws {
        #expect(learned(try train(lines, size: size)).joined(separator: " ") == expected)
    }

    @Test func `user-defined symbols are kept out of merges`() throws {
        let model = try train(["pen", "pineapple", "apple"], size: 17) { $0.userDefinedSymbols = ["app"] }
        #expect(learned(model).joined(separator: " ") == "le en in ine pen pine ne pe e l n p i")
    }

    @Test func `scores fall by one and the first is minus zero`() throws {
        let model = try train(["abracadabra"], size: 17)
        let bits: [UInt32] = model.pieces.dropFirst(3).map { $0.score.bitPattern }
        let expected: [UInt32] = (0..<14).map { index in (-Float(index)).bitPattern }
        #expect(bits == expected)
        #expect(model.vocabularyText().split(separator: "\n")[3] == "ab\t-0")
    }

    @Test func `overlapping pairs are counted twice and merged once`() throws {
        // "aaa" holds (a,a) twice, "bb" once: (a,a) comes first.
        #expect(learned(try train(["aaa", "bb"], size: 8)).prefix(2) == ["aa", "bb"])
    }

    /// Merges by counting all pairs anew each time: what the queue must equal (ties by length, then bytes).
    private func slowMerges(_ words: [String], count: Int) -> [String] {
        var texts = words.map { $0.unicodeScalars.map { String($0) } }
        var emitted: Set<String> = []
        var discarded: Set<String> = []
        var result: [String] = []
        while result.count < count {
            var counts: [[String]: Int] = [:]
            for text in texts { for pair in zip(text, text.dropFirst()) { counts[[pair.0, pair.1], default: 0] += 1 } }
            let best = counts.filter {
                !discarded.contains($0.key.joined(separator: "|")) && $0.key.joined().count <= 16
            }
            .min { left, right in
                let (a, b) = (left.key.joined(), right.key.joined())
                if left.value != right.value { return left.value > right.value }
                if a.count != b.count { return a.count < b.count }
                return a.utf8.lexicographicallyPrecedes(b.utf8)
            }
            guard let pair = best?.key else { return result }
            if !emitted.insert(pair.joined()).inserted {
                discarded.insert(pair.joined(separator: "|"))
                continue
            }
            result.append(pair.joined())
            texts = texts.map { text in
                var merged: [String] = []
                var index = 0
                while index < text.count {
                    if index + 1 < text.count, text[index] == pair[0], text[index + 1] == pair[1] {
                        merged.append(pair.joined())
                        index += 2
                    } else {
                        merged.append(text[index])
                        index += 1
                    }
                }
                return merged
            }
        }
        return result
    }

    @Test(arguments: 0..<25 as Range<UInt64>)
    func `equals the slow reference on random words`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let letters = ["中", "国", "人", "民", "大"]
        let words = (0..<60).map { _ in
            (0..<Int.random(in: 1...9, using: &generator)).map { _ in letters.randomElement(using: &generator)! }
                .joined()
        }
        let alphabet = Set(words.joined()).count
        let model = try train(words, size: Int32(3 + alphabet + 12))
        #expect(Array(learned(model).prefix(12)) == slowMerges(words, count: 12), "seed \(seed)")
    }

    @Test func `the number of threads changes nothing`() throws {
        let path = repositoryRoot + "/corpora/sample.zh.txt"
        let text = String(decoding: try readFile(path), as: UTF8.self)
        // Long enough for several parts.
        let lines = Array(repeating: text.split(separator: "\n").map { String($0) }, count: 12).flatMap { $0 }
        let one = try train(lines, size: 1500, threads: 1).serializedWithoutPaths()
        #expect(try train(lines, size: 1500, threads: 5).serializedWithoutPaths() == one)
    }

    @Test func `a size that the corpus cannot give is refused with the possible one`() throws {
        #expect(throws: TrainingError.tooFewMerges(vocabularySize: 100, possible: 6)) { try train(["ab"], size: 100) }
        #expect(throws: TrainingError.alphabetTooLarge(vocabularySize: 4, needed: 6)) { try train(["abc"], size: 4) }
    }

    @Test func `a text without usable lines is refused`() throws {
        #expect(throws: TrainingError.self) { try train([""], size: 10) }
        #expect(throws: TrainingError.self) { try train([String(repeating: "字", count: 2000)], size: 10) }
    }

    @Test func `growth goes on until the base lacks enough pieces`() throws {
        try withTemporaryDirectory { directory in
            let lines = ["abracadabra"]
            let small = try train(lines, size: 10)
            let path = directory + "/text.txt"
            try writeFile(path, "abracadabra\n".utf8)
            var specification = Sentencepiece_TrainerSpec()
            specification.input = [path]
            specification.modelType = .bpe
            specification.vocabSize = 8
            specification.characterCoverage = 1
            var normalizer = Sentencepiece_NormalizerSpec()
            normalizer.addDummyPrefix = false
            var trainer = TokenizerTrainer(specification: specification, normalizerSpecification: normalizer)
            trainer.growth = .init(base: small, newPieces: 4)
            // The base holds ab, ra; four more are abra, ad, cad, abracad.
            #expect(learned(try trainer.train()).prefix(6) == ["ab", "ra", "abra", "ad", "cad", "abracad"])
            #expect(try trainer.train().pieces.count == 3 + 6 + 5)
        }
    }
}

extension SentencePieceModel {
    /// The bytes without the input's path, which differs from run to run.
    fileprivate func serializedWithoutPaths() throws -> [UInt8] {
        var copy = self
        copy.proto.trainerSpec.input = []
        return try copy.serialized()
    }
}
