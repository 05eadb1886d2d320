import PieceModel
import TestSupport
import Testing
import Tokenizers

@testable import VocabularyLint

/// Pieces of up to four of three letters, some with the same score.
private func randomPieces(_ generator: inout SeededGenerator) -> [(String, Float)] {
    let all = texts(over: ["a", "b", "c"], upTo: 4)
    let longer = all.filter { $0.count > 1 }.shuffled(using: &generator)
        .prefix(Int.random(in: 3...14, using: &generator))
    return (["a", "b", "c"] + longer).map { ($0, -Float.random(in: 0..<8, using: &generator).rounded(.down)) }
}

/// The entries that no text over three letters of so many characters gives.
private func neverGiven(_ tokenizer: Tokenizer, upTo length: Int) -> [PieceID] {
    var given: Set<PieceID> = []
    for text in texts(over: ["a", "b", "c"], upTo: length) { given.formUnion(tokenizer.encode(text)) }
    return (1..<tokenizer.count).map { PieceID($0) }.filter { !given.contains($0) }
}

@Suite struct DeadRowTests {
    @Test(arguments: 0..<12)
    func `a BPE row is dead where no text gives it`(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        let tokenizer = try tokenizer(randomPieces(&generator))
        #expect(try LintReport(tokenizer).deadRows.map(\.id) == neverGiven(tokenizer, upTo: 7), "seed \(seed)")
    }

    @Test(arguments: 0..<6)
    func `a unigram row is dead where no text gives it`(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(100 + seed))
        // No two ways through a text have the same sum, so that no tie decides.
        let pieces = randomPieces(&generator).map { ($0.0, $0.1 - Float.random(in: 0..<1, using: &generator)) }
        let tokenizer = try tokenizer(pieces, type: .unigram)
        let dead = try LintReport(tokenizer).deadRows
        #expect(dead.map(\.id) == neverGiven(tokenizer, upTo: 6), "seed \(seed)")
        #expect(dead.allSatisfy { $0.reason == .partsPreferred })
    }

    @Test func `a row without a chain needs bridges`() throws {
        let tokenizer = try tokenizer([("越", 0), ("来", 0), ("越来越", 0)])
        let dead = try LintReport(tokenizer).deadRows
        #expect(dead.map(\.id) == [3] && dead.map(\.parts) == [[1, 2, 1]])
        guard case .noChain(let bridges) = dead.first?.reason else { Issue.record("\(dead)"); return }
        #expect(bridges == ["越来"] || bridges == ["来越"])
    }

    /// Of all orders in which merges may be done those that lead to the row are looked for from each state.
    @Test(arguments: 0..<20)
    func `the forestalling merge is the first after which no order of merges makes the row`(_ seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(200 + seed))
        let vocabulary = try tokenizer(randomPieces(&generator)).vocabulary
        func canBecome(_ symbols: [String], _ whole: String) -> Bool {
            symbols == [whole]
                || symbols.indices.dropLast().contains { place in
                    let made = symbols[place] + symbols[place + 1]
                    guard vocabulary.id(of: made) != nil else { return false }
                    return canBecome(Array(symbols[..<place]) + [made] + Array(symbols[(place + 2)...]), whole)
                }
        }
        for index in 1..<vocabulary.count {
            let id = PieceID(index)
            let whole = vocabulary.text(of: id)
            var symbols = whole.map { String($0) }
            var expected: PieceID?
            while symbols.count > 1, expected == nil {
                let merges = symbols.indices.dropLast().compactMap { place in
                    vocabulary.id(of: symbols[place] + symbols[place + 1]).map { (place: place, id: $0) }
                }
                guard let best = merges.map({ vocabulary.score(of: $0.id) }).max(),
                    let merge = merges.first(where: { vocabulary.score(of: $0.id) == best })
                else { break }
                symbols.replaceSubrange(merge.place...merge.place + 1, with: [vocabulary.text(of: merge.id)])
                if !canBecome(symbols, whole) { expected = merge.id }
            }
            #expect(FatalMerge(of: id, in: vocabulary)?.find() == expected, "seed \(seed), \(whole)")
        }
    }

    @Test func `spaces that normalization takes out leave a row dead`() throws {
        let pieces: [(String, Float)] = [("a", -1), ("▁", -2), ("▁▁", -3), ("a b", -4), ("▁a", -5)]
        #expect(try LintReport(tokenizer(pieces)).deadRows.map(\.reason) == [.normalizedAway])
        // sentencepiece takes out extra spaces, and lets ▁ itself through wherever it stands.
        #expect(try LintReport(tokenizer(pieces, removeExtra: true)).deadRows.map(\.id) == [4])
    }

    @Test func `a user-defined piece inside a row leaves it dead`() throws {
        let tokenizer = try tokenizer([("a", 0), ("b", 0), ("ab", 0), ("aba", 0)], userDefined: ["b"])
        #expect(try LintReport(tokenizer).deadRows.map(\.reason) == [.holdsUserDefined(2), .holdsUserDefined(2)])
    }
}
