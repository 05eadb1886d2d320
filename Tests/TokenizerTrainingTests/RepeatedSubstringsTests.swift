import FileIO
import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import TokenizerTraining

/// The text of some lines, with all characters in the alphabet.
private func symbolText(_ lines: String, tsv: Bool = false) throws -> (SymbolText, PieceRules) {
    try withTemporaryDirectory { directory in
        let path = directory + "/text.txt"
        try writeFile(path, lines.utf8)
        var specification = Sentencepiece_TrainerSpec()
        specification.input = [path]
        specification.characterCoverage = 1
        if tsv { specification.inputFormat = "tsv" }
        var normalizer = Sentencepiece_NormalizerSpec()
        normalizer.addDummyPrefix = false
        let corpus = TrainingCorpus(
            specification: specification, seed: 1, encoding: nil, threads: 1, progress: nil)
        let preparation = SentencePreparation(
            specification: specification,
            normalizer: try Normalizer(
                specification: normalizer, treatsWhitespaceAsSuffix: false, path: "rules"),
            special: try SpecialPieces(specification))
        let sentences = try TrainingSentences(corpus, preparation: preparation)
        let alphabet = try Alphabet(of: sentences, specification: specification, threads: 1)
        let rules = PieceRules(specification)
        return (try SymbolText(sentences, alphabet: alphabet, rules: rules, threads: 2), rules)
    }
}

private func extraction(_ text: SymbolText, _ rules: PieceRules, chunkBytes: Int = 1 << 20) -> SeedExtraction {
    SeedExtraction(
        text: text, rules: rules, options: UnigramOptions(), vocabularySize: 100, size: 1000, file: nil, threads: 2,
        chunkBytes: chunkBytes)
}

/// What sentencepiece's definition says, by brute force: the text with NUL after each sentence and each copy of it; every
/// substring that occurs twice or more and is followed by two or more different bytes, trailing NULs cut off.
private func bruteForce(_ sentences: [(text: String, copies: Int)], _ rules: PieceRules) -> [String: Int] {
    var bytes: [UInt8] = []
    for (text, copies) in sentences {
        for _ in 0..<copies { bytes += Array(text.utf8) + [0] }
    }
    var ends: [[UInt8]: [Int]] = [:]
    for start in bytes.indices where bytes[start] & 0xC0 != 0x80 {
        for end in start + 1...min(bytes.count, start + 40) where start < end {
            ends[Array(bytes[start..<end]), default: []].append(end)
        }
    }
    var counts: [String: Int] = [:]
    for (substring, ends) in ends where ends.count >= 2 && substring.count >= 2 {
        if Set(ends.map { $0 < bytes.count ? Int(bytes[$0]) : -1 }).count < 2 { continue }
        if let end = ends.first, end < bytes.count, bytes[end] & 0xC0 == 0x80 { continue }
        var piece = substring
        while piece.last == 0 { piece.removeLast() }
        guard let text = String(validating: piece, as: UTF8.self) else { continue }
        let scalars = text.unicodeScalars.map(\.value)
        if scalars.count < 2 || !rules.allows(scalars.map { rules.trait(of: $0) }) { continue }
        counts[text, default: 0] += ends.count
    }
    return counts
}

struct RepeatedSubstringsTests {
    private static let texts: [String] = [
        "abracadabra\nabraham\ncadabra\n",
        "中文中文字\n中文字中文\n字中\n文中\n",
        "aaaa\naaa\nab\nab\nb\n",
        "x\nxy\nxyz\nyz\nz\nyz\n",
        "the cat the hat\nthe cat\nthat hat\ncat\n",
    ]

    @Test(arguments: texts)
    func `seeds are the branching substrings of the bytes`(lines: String) throws {
        let (text, rules) = try symbolText(lines)
        let seeds = extraction(text, rules)
        let found = try RepeatedSubstrings(text: text, rules: rules, minimumCount: 2, threads: 2)
            .candidates(symbols: 0..<text.symbols.count, copies: nil)
        let sentences = lines.split(separator: "\n").map { (String($0).replacing(" ", with: "▁"), 1) }
        let counts = Dictionary(
            uniqueKeysWithValues: found.map { candidate in
                let bytes = text.alphabet.text(of: seeds.symbols(of: candidate))
                return (String(decoding: bytes, as: UTF8.self), Int(candidate.count))
            })
        #expect(counts == bruteForce(sentences, rules))
    }

    @Test func `copies count without being written out`() throws {
        let sentences = [("magnanimity", 5), ("Pineapple", 6), ("apple", 1), ("Overly", 6), ("Available", 3)]
        let (text, rules) = try symbolText(sentences.map { "\($0.0)\t\($0.1)\n" }.joined(), tsv: true)
        let seeds = extraction(text, rules)
        let chunks = seeds.chunks()
        try #require(chunks.count == 1)
        let found = try RepeatedSubstrings(text: text, rules: rules, minimumCount: 2, threads: 1)
            .candidates(symbols: chunks[0].symbols, copies: chunks[0].copies)
        let counts = Dictionary(
            uniqueKeysWithValues: found.map { candidate in
                let bytes = text.alphabet.text(of: seeds.symbols(of: candidate))
                return (String(decoding: bytes, as: UTF8.self), Int(candidate.count))
            })
        #expect(counts == bruteForce(sentences, rules))
    }

    @Test func `a chunk is closed when it is full, copies that do not fit are left out`() throws {
        let (text, rules) = try symbolText("abc\t3\nde\t4\nf\t2\n", tsv: true)
        // abc: 4 bytes each; three copies make 12. de: 3 each.
        let chunks = extraction(text, rules, chunkBytes: 10).chunks()
        #expect(chunks.map(\.bytes) == [12, 12, 4])
        #expect(chunks.map { $0.copies?.copies ?? [] } == [[3], [4], [2]])
        let small = extraction(text, rules, chunkBytes: 5).chunks()
        #expect(small.map { $0.copies?.copies ?? [] } == [[2], [2], [2]])
    }

    @Test func `the counts of chunks add up`() throws {
        let (text, rules) = try symbolText("abcabd\nabeabf\nabgabh\n")
        let whole = try extraction(text, rules).seeds()
        let chunked = try extraction(text, rules, chunkBytes: 7).seeds()
        #expect(whole.symbols == chunked.symbols)
    }
}
