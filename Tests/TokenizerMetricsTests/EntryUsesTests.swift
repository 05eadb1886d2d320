import Foundation
import PieceModel
import TestSupport
import Testing
import TokenizerMetrics
import Tokenizers

@Suite struct EntryUsesTests {
    /// The figures of the authors' program (tokenization-scorer 1.1.8) for the two texts of its README, with as many entries
    /// as come and with ten.
    @Test(
        arguments: [
            ([3, 2, 1, 1], 0.8265064834225245), ([3, 3, 2, 2, 1], 0.9204840242168808),
            ([3, 2, 1, 1, 0, 0, 0, 0, 0, 0], 0.4976064862418698), ([3, 3, 2, 2, 1, 0, 0, 0, 0, 0], 0.6433907223981091),
        ])
    func `efficiency is that of the authors' program`(_ counts: [Int], _ expected: Double) {
        #expect(abs(EntryUses(counts: counts).renyiEfficiency - expected) < 1e-12)
        #expect(EntryUses(counts: counts.reversed()).renyiEfficiency == EntryUses(counts: counts).renyiEfficiency)
    }

    @Test func `equal use of all entries is efficient, of one not at all`() {
        #expect(abs(EntryUses(counts: [5, 5, 5, 5]).renyiEfficiency - 1) < 1e-12)
        #expect(EntryUses(counts: [5, 0, 0, 0]).renyiEfficiency == 0)
        #expect(abs(EntryUses(counts: [5, 5, 0, 0]).renyiEntropy - 1) < 1e-12)
        #expect(abs(EntryUses(counts: [5, 5, 0, 0]).renyiEfficiency - 0.5) < 1e-12)
        #expect(EntryUses(counts: [0, 0]).renyiEntropy.isNaN)
    }

    @Test(arguments: 0..<10)
    func `the definition, with no order of summing`(_ seed: Int) {
        var generator = SeededGenerator(seed: UInt64(seed))
        let counts = (0..<50).map { _ in Int.random(in: 0...9, using: &generator) }
        let total = Double(counts.reduce(0, +))
        let sum = counts.map { pow(Double($0) / total, 2.5) }.reduce(0, +)
        let uses = EntryUses(counts: counts)
        #expect(abs(uses.renyiEfficiency - log(sum) / (1 - 2.5) / log(50)) < 1e-12, "seed \(seed)")
        #expect(uses.usedEntries == counts.filter { $0 > 0 }.count)
        #expect(uses.usedShare == Double(uses.usedEntries) / 50)
    }

    @Test func `the longest and the rarest are found among those that come`() throws {
        var proto = Sentencepiece_ModelProto()
        let pieces = ["<unk>", "<0x41>", "中文字", "ab", "中文", "中文字典", "z"]
        for (index, text) in pieces.enumerated() {
            var piece = SentencePieceModel.Piece()
            piece.piece = text
            piece.type = index == 0 ? .unknown : .normal
            proto.pieces.append(piece)
        }
        proto.trainerSpec.modelType = .bpe
        let vocabulary = Vocabulary(SentencePieceModel(proto: proto))
        let uses = EntryUses(counts: [0, 0, 4, 1, 7, 0, 1])
        #expect(uses.longest(3, in: vocabulary) == [2, 3, 4])
        #expect(uses.rarest(3) == [6, 3, 2])
        #expect(uses.rarest(9).count == 4 && uses[4] == 7)
    }
}
