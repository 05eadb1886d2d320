import PieceModel
import TestSupport
import Testing

@testable import TokenizerTraining

struct TrainingSentencesTests {
    @Test func `lines end at LF only and a last one needs none`() throws {
        let loaded = try loadSentences(Array("a b\r\nc\u{2028}d\ne".utf8))
        #expect(loaded.texts == ["a▁b\r", "c\u{2028}d", "e"])
        #expect(loaded.tally.sentences == 3 && loaded.tally.empty == 0)
    }

    @Test func `the last sentence takes the place of an empty one, which is then looked at again`() throws {
        // Spaces alone normalize to nothing; the last of these lines is such a one too.
        #expect(try loadSentences(Array(" \na\n \nb\nc\n ".utf8)).texts == ["c", "a", "b"])
    }

    @Test func `long lines and lines with the mark of unknown characters are left out`() throws {
        let loaded = try loadSentences(Array("12345678901\n1234567890\n\n▅a\nb".utf8)) { $0.maxSentenceLength = 10 }
        #expect(loaded.texts == ["1234567890", "b"])
        let tally = loaded.tally
        #expect([tally.sentences, tally.empty, tally.tooLong, tally.reserved] == [2, 1, 1, 1])
    }

    @Test func `special pieces and delimiters become boundaries, the longest first`() throws {
        let loaded = try loadSentences(Array("a<s>b<x>c|d<xy>".utf8)) {
            $0.userDefinedSymbols = ["<x", "<xy>"]
            $0.pretokenizationDelimiter = "|"
        }
        #expect(loaded.texts == ["a\u{1F}b\u{1F}>c\u{1F}d\u{1F}"])
    }

    @Test func `tables give frequencies`() throws {
        let loaded = try loadSentences(Array("a\t1\nb c\t 20 \n\t3\nd\t+4\n".utf8)) { $0.inputFormat = "tsv" }
        #expect(loaded.texts == ["a", "b▁c", "d"])
        #expect(loaded.frequencies == [1, 20, 4])
    }

    @Test(arguments: ["a", "a\t1\t2", "a\t0", "a\t-1", "a\t1x", "a\t", "", "a\t99999999999999999999"])
    func `a line that is no word, tab, count is refused by its number`(line: String) throws {
        let error = #expect(throws: TrainingError.self) {
            try loadSentences(Array("x\t1\ny\t2\n\(line)\nz\t3\n".utf8), threads: 2) { $0.inputFormat = "tsv" }
        }
        guard case .malformedLine(_, let number, _) = error else {
            Issue.record("another error: \(String(describing: error))")
            return
        }
        #expect(number == 3)
    }

    @Test func `frequencies whose sums overflow are refused`() throws {
        for text in ["a\t9223372036854775807\n", String(repeating: "ab\t40000000000000000\n", count: 9)] {
            let error = #expect(throws: TrainingError.self) {
                try loadSentences(Array(text.utf8)) { $0.inputFormat = "tsv" }
            }
            guard case .tooFrequent = error else {
                Issue.record("another error: \(String(describing: error))")
                return
            }
            #expect(throws: TrainingError.self) {
                try trainModel(text, type: .bpe, size: 20) { $0.inputFormat = "tsv" }
            }
        }
        let most = try loadSentences(Array("ab\t40000000000000000\n".utf8)) { $0.inputFormat = "tsv" }
        #expect(most.frequencies == [40_000_000_000_000_000])
    }

    @Test(arguments: 0..<6 as Range<UInt64>)
    func `any number of threads gives the same sentences`(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = ["a", "中文", " ", "", "▅", "b c", "\t", "long", "\r", "😀"]
        let text = (0..<60000).map { _ in
            words.randomElement(using: &generator)! + (Bool.random(using: &generator) ? "\n" : "")
        }.joined()
        let one = try loadSentences(Array(text.utf8), threads: 1) { $0.maxSentenceLength = 20 }
        for threads in [2, 3, 7] {
            let more = try loadSentences(Array(text.utf8), threads: threads) { $0.maxSentenceLength = 20 }
            #expect(more.texts == one.texts && more.tally == one.tally, "seed \(seed), \(threads) threads")
        }
    }

    @Test func `the first sentences are taken when not shuffled, a seeded sample otherwise`() throws {
        let lines = (0..<1000).map { "line\($0)" }
        let text = Array((lines.joined(separator: "\n\n") + "\n").utf8)
        let first = try loadSentences(text) {
            $0.inputSentenceSize = 150
            $0.shuffleInputSentence = false
        }
        #expect(first.texts == Array(lines.prefix(150)))
        let sample = try loadSentences(text) { $0.inputSentenceSize = 150 }
        #expect(sample.texts.count == 150 && Set(sample.texts).isSubset(of: lines) && sample.texts != first.texts)
        #expect(sample.tally.sentences == 1000)
        #expect(try loadSentences(text, threads: 3) { $0.inputSentenceSize = 150 }.texts == sample.texts)
        #expect(try loadSentences(text) { $0.inputSentenceSize = 5000 }.texts == lines)
    }

    @Test func `other encodings are read as the UTF-8 that they stand for`() throws {
        let text = "人工智能\n中文 GB18030\n"
        let utf16 = text.utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        #expect(try loadSentences([0xFF, 0xFE] + utf16, encoding: "UTF-16").texts == ["人工智能", "中文▁GB18030"])
        #expect(try loadSentences(utf16, encoding: "UTF-16LE").texts == ["人工智能", "中文▁GB18030"])
        #expect(
            try loadSentences([0xD6, 0xD0, 0xCE, 0xC4, 0x0A, 0xFF], encoding: "gb18030").texts == ["中文", "\u{FFFD}"])
        #expect(try loadSentences([0xA4, 0xA4, 0xA4, 0xE5], encoding: "BIG5").texts == ["中文"])
        #expect(throws: TrainingError.self) { try loadSentences([0x41], encoding: "klingon") }
    }

    @Test func `a text without a usable line says how many were too long`() throws {
        #expect(throws: TrainingError.self) { try loadSentences(Array("\n\n".utf8)) }
        let error = #expect(throws: TrainingError.self) {
            try loadSentences(Array("12345678901".utf8)) { $0.maxSentenceLength = 10 }
        }
        #expect(error?.description.contains("1 are longer than 10 bytes") == true)
    }
}

struct AlphabetTests {
    private func characters(
        _ text: String, _ adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }
    ) throws -> String {
        var counts = CharacterCounts()
        Array(text.utf8).withUnsafeBufferPointer { counts.add($0, 1) }
        var specification = Sentencepiece_TrainerSpec()
        specification.characterCoverage = 0.98
        adjust(&specification)
        let alphabet = try Alphabet(counts: counts, specification: specification, paths: [])
        return alphabet.characters.compactMap { Unicode.Scalar($0.scalar).map { String($0) } }.joined()
    }

    // Vectors of sentencepiece's trainer_interface_test: 50 a, 49 あ, 1 b.
    private let text = String(repeating: "a", count: 50) + String(repeating: "あ", count: 49) + "b"

    @Test func `holds what the coverage asks for`() throws {
        #expect(try characters(text) == "aあ")
        #expect(try characters(text) { $0.characterCoverage = 1 } == "aあb")
        #expect(try characters(text) { $0.useAllVocab = true } == "aあb")
    }

    @Test func `required characters come in whether they occur or not`() throws {
        #expect(try characters(text) { $0.requiredChars = "漢字" } == "aあ字漢")
        #expect(try characters(text) { $0.requiredChars = "b" } == "aあb")
    }

    @Test func `boundaries count but are no members, NUL does not count`() throws {
        #expect(try characters("\u{1F}\0a") { $0.characterCoverage = 1 } == "a")
        #expect(throws: TrainingError.noCharacters(paths: [])) { try characters("\0") }
        #expect(throws: TrainingError.reservedCharacter(paths: [])) { try characters("▅") { $0.characterCoverage = 1 } }
    }
}
