import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerTraining

struct TrainingOptionsTests {
    private static var refused: [String: (inout Sentencepiece_TrainerSpec) -> Void] {
        [
            "vocab-size": { $0.vocabSize = 0 }, "character-coverage": { $0.characterCoverage = 0.97 },
            "max-sentencepiece-length": { $0.maxSentencepieceLength = 513 },
            "max-sentence-length": { $0.maxSentenceLength = 9 }, "num-sub-iterations": { $0.numSubIterations = 11 },
            "num-threads": { $0.numThreads = 0 }, "shrinking-factor": { $0.shrinkingFactor = 0.96 },
            "input-sentence-size": { $0.inputSentenceSize = 100 }, "use-all-vocab": { $0.useAllVocab = true },
            "seed-sentencepieces-file": { $0.seedSentencepiecesFile = "x" },
            "input-format": { $0.inputFormat = "csv" }, "pad-piece": { $0.padPiece = "" },
            "auto-character-coverage": { $0.autoCharacterCoverage = true }, "input": { $0.input = [] },
        ]
    }

    @Test(arguments: refused.keys.sorted())
    func `what sentencepiece refuses is refused by name`(flag: String) throws {
        let adjust = try #require(Self.refused[flag])
        let error = #expect(throws: TrainingError.self) { try trainModel("ab", type: .bpe, size: 6, adjust: adjust) }
        guard case .badSpecification(let named, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(named == flag)
    }

    // sentencepiece's bpe_model_trainer_test, AutoCharacterCoverageTest.
    @Test func `with too little room for all characters the rare ones are left to bytes`() throws {
        let text = String(repeating: "こんにちは世界\nHello world\n", count: 20) + "稀少文字：ゐゑ驫\n"
        let model = try trainModel(text, type: .bpe, size: 275) {
            $0.byteFallback = true
            $0.autoCharacterCoverage = true
        }
        #expect(model.pieces.count == 275)
        let tokenizer = try Tokenizer(model)
        #expect(tokenizer.encodePieces("驫").map(\.text) == ["<0xE9>", "<0xA9>", "<0xAB>"])
        #expect(!tokenizer.encodePieces("こんにちは").contains { $0.text.hasPrefix("<0x") })
    }

    @Test func `a text without the flag gives every character`() throws {
        let model = try trainModel("稀少文字\n", type: .bpe, size: 300) {
            $0.byteFallback = true
            $0.hardVocabLimit = false
        }
        #expect(learnedPieces(model).hasSuffix("字 少 文 稀"))
    }

    @Test func `learned pieces that are special pieces too are refused`() throws {
        #expect(throws: TrainingError.self) {
            try trainModel("ab", type: .bpe, size: 7) {
                $0.userDefinedSymbols = ["c"]
                $0.requiredChars = "c"
            }
        }
    }

    @Test func `freed pairs come up again once all others are used up`() throws {
        // Larger than what keeps every pair from the start; the last merges occur no longer.
        let text = String(repeating: "abcdefgh\n", count: 3) + (0..<20000).map { "x\($0 % 7)y\n" }.joined()
        let small = String(repeating: "abcdefgh\n", count: 3) + (0..<70).map { "x\($0 % 7)y\n" }.joined()
        func train(_ text: String) throws -> [String] {
            let model = try trainModel(text, type: .bpe, size: 100) {
                $0.hardVocabLimit = false
                $0.splitByUnicodeScript = false
            }
            return model.pieces.map(\.piece).sorted()
        }
        #expect(try train(text) == train(small))
    }
}

struct CustomNormalizationTests {
    private func charsmap(_ rules: String) throws -> [UInt8] {
        try withTemporaryDirectory { directory in
            try writeFile(directory + "/rules.tsv", rules.utf8)
            return try NormalizationRules.charsmap(ofRulesAt: directory + "/rules.tsv")
        }
    }

    private func normalize(_ text: String, by rules: String) throws -> String {
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = .init(try charsmap(rules))
        specification.addDummyPrefix = false
        specification.escapeWhitespaces = false
        let normalizer = try Normalizer(
            specification: specification, treatsWhitespaceAsSuffix: false, path: "rules")
        return String(decoding: normalizer.normalize(text), as: UTF8.self)
    }

    @Test func `the longest source is replaced, a rule without a target deletes, a later rule wins`() throws {
        let rules = "41\t62\nU+41 U+42\t63 64\t# AB => cd\n3002\n58\t59\n58\t5A\r\n"
        #expect(try normalize("A AB。X", by: rules) == "b cdZ")
    }

    @Test(arguments: ["41\tzz\n", "zz\t41\n", "\t41\n", "41\t41\n", "D800\t41\n", "110000\t41\n", "0\t41\n"])
    func `a rule that is none is refused by its line`(rule: String) throws {
        let error = #expect(throws: TrainingError.self) { try charsmap("42\t43\n" + rule) }
        guard case .malformedLine(_, let line, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(line == 2)
    }

    @Test func `no rules, and rules nested too deeply, are refused`() throws {
        #expect(throws: TrainingError.self) { try charsmap("") }
        let nested = (1...32).map { Array(repeating: "41", count: $0).joined(separator: " ") + "\t42\n" }
        #expect(throws: TrainingError.self) { try charsmap(nested.joined()) }
        #expect(try !charsmap(nested.dropLast().joined()).isEmpty)
    }
}
