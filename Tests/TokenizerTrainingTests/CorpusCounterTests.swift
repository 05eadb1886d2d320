import FileIO
import Foundation
import PieceModel
import TestSupport
import Testing

@testable import TokenizerTraining

struct CorpusCounterTests {
    private func write(_ counted: CountedWords, to path: String) throws {
        var bytes: [UInt8] = []
        try counted.write { bytes += $0 }
        try writeFile(path, bytes)
    }

    /// Counts parts of a text apart, adds them up, and trains on the sum; also on the text itself.
    private func trainBothWays(
        _ lines: [String], type: Sentencepiece_TrainerSpec.ModelType, size: Int32,
        adjust: (inout Sentencepiece_TrainerSpec, inout Sentencepiece_NormalizerSpec) -> Void = { _, _ in }
    ) throws -> (text: SentencePieceModel, counts: SentencePieceModel) {
        try withTemporaryDirectory { directory in
            var (trainer, normalizer) = try specifications(
                lines.joined(separator: "\n"), in: directory, type: type, size: size)
            trainer.hardVocabLimit = false
            adjust(&trainer, &normalizer)
            let whole = try TokenizerTrainer(specification: trainer, normalizerSpecification: normalizer).train()
            var tables: [String] = []
            for part in 0..<3 {
                let path = "\(directory)/part\(part)"
                try writeFile(path, lines.indices.filter { $0 % 3 == part }.map { lines[$0] + "\n" }.joined().utf8)
                var shard = trainer
                shard.input = [path]
                let counter = try CorpusCounter(specification: shard, normalizerSpecification: normalizer)
                tables.append(path + ".tsv")
                try write(counter.count(), to: path + ".tsv")
            }
            try write(CountedWords(merging: tables), to: directory + "/sum.tsv")
            trainer.input = [directory + "/sum.tsv"]
            trainer.inputFormat = "tsv"
            let summed = try TokenizerTrainer(specification: trainer, normalizerSpecification: normalizer).train()
            return (whole, summed)
        }
    }

    private func rows(_ model: SentencePieceModel) -> [String] {
        model.pieces.map { "\($0.piece) \($0.score.bitPattern) \($0.type)" }
    }

    private var lines: [String] {
        get throws {
            let chinese = try readFile(repositoryRoot + "/corpora/sample.zh.txt")
            let odd = ["a\tb\tc 中\t文", "x\0y", "e\u{301}\u{1F}é", "  spaces  ", "<s>人</s>", "１２３ 4５6", "", "한국어 😀😀"]
            return String(decoding: chinese, as: UTF8.self).split(separator: "\n").map { String($0) } + odd
        }
    }

    @Test(arguments: [Sentencepiece_TrainerSpec.ModelType.bpe, .char, .word])
    func `training on added-up counts equals training on the text`(type: Sentencepiece_TrainerSpec.ModelType) throws {
        let models = try trainBothWays(lines, type: type, size: 1900)
        #expect(rows(models.counts) == rows(models.text))
    }

    @Test func `also with other rules, suffixes and normalization`() throws {
        let charsmap = try NormalizationRules.charsmap(named: "nmt_nfkc_cf")
        let models = try trainBothWays(lines, type: .bpe, size: 1900) { trainer, normalizer in
            trainer.treatWhitespaceAsSuffix = true
            trainer.splitByWhitespace = false
            trainer.splitByNumber = false
            trainer.userDefinedSymbols = ["的"]
            trainer.pretokenizationDelimiter = "是"
            normalizer.addDummyPrefix = true
            normalizer.precompiledCharsmap = .init(charsmap)
        }
        #expect(rows(models.counts) == rows(models.text))
    }

    @Test func `counts made with other flags are refused`() throws {
        try withTemporaryDirectory { directory in
            var (trainer, normalizer) = try specifications("ab ab\n", in: directory, type: .bpe, size: 10)
            let counted = try CorpusCounter(specification: trainer, normalizerSpecification: normalizer).count()
            let table = directory + "/counts.tsv"
            try write(counted, to: table)
            trainer.input = [table]
            trainer.inputFormat = "tsv"
            normalizer.addDummyPrefix = true
            #expect(throws: TrainingError.otherCounts(path: table)) {
                try TokenizerTrainer(specification: trainer, normalizerSpecification: normalizer).train()
            }
        }
    }

    @Test(arguments: ["no tab", "x\t0", "x\t-1", "\t3", "x\ty", "x\t99999999999999999999"])
    func `a damaged table is refused by its line`(line: String) throws {
        try withTemporaryDirectory { directory in
            let (trainer, normalizer) = try specifications("ab ab\n", in: directory, type: .bpe, size: 10)
            let counter = try CorpusCounter(specification: trainer, normalizerSpecification: normalizer)
            let table = directory + "/counts.tsv"
            var bytes: [UInt8] = []
            try counter.count().write { bytes += $0 }
            try writeFile(table, bytes + Array(line.utf8))
            #expect(
                throws: TrainingError.malformedLine(path: table, line: 4, reason: "is not: word, tab, count")
            ) { try CountedWords(merging: [table]) }
        }
    }

    @Test func `tables of different flags are not added up, nor what is no table`() throws {
        try withTemporaryDirectory { directory in
            var (trainer, normalizer) = try specifications("ab ab\n", in: directory, type: .bpe, size: 10)
            let tables = [directory + "/a.tsv", directory + "/b.tsv"]
            try write(CorpusCounter(specification: trainer, normalizerSpecification: normalizer).count(), to: tables[0])
            normalizer.addDummyPrefix = true
            trainer.splitDigits = true
            try write(CorpusCounter(specification: trainer, normalizerSpecification: normalizer).count(), to: tables[1])
            #expect(throws: TrainingError.otherCounts(path: tables[1])) { try CountedWords(merging: tables) }
            #expect(try CountedWords(merging: [tables[0], tables[0]]).count == 2)
            #expect(throws: TrainingError.self) { try CountedWords(merging: [directory + "/text.txt"]) }
        }
    }

    @Test func `unigram models have no counts`() throws {
        var specification = Sentencepiece_TrainerSpec()
        specification.modelType = .unigram
        #expect(throws: TrainingError.self) {
            try CorpusCounter(specification: specification, normalizerSpecification: .init())
        }
    }
}
