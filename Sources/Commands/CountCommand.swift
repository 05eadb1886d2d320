import ArgumentParser
import FileIO
@preconcurrency import Foundation
import Partitioning
import PieceModel
import TokenizerTraining

/// `kuoci count`: the words of a shard of the corpus, for training on all shards' counts.
struct CountCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "count",
        abstract: "Counts the words of a part of the corpus, so that training needs only the sums.",
        discussion: """
            Each machine counts its part, --merge adds the tables up, and `train --input-format tsv` on the sum gives \
            the very model that it would give on the text. bpe, word and char models can be trained so; the model type, \
            normalization, special pieces, delimiter, whitespace and split flags must be the same when counting and \
            when training, which the table's first line lets training check. Flags about the text itself \
            (--max-sentence-length, --encoding, --input-format) are given when counting only.

            Without --input the text comes from standard input, and without --out the table goes to standard output, so \
            that engines that run commands over parts of a text can run this one. Memory holds the distinct words (their \
            bytes and about 40 more each) and some MiB of text.

            Example:
              kuoci count --input corpora/sample.zh.txt --out /tmp/a.tsv
              kuoci count --merge /tmp/a.tsv /tmp/a.tsv --out /tmp/sum.tsv
              kuoci train --input /tmp/sum.tsv --input-format tsv --model-type bpe --vocab-size 1600 --model-prefix /tmp/zh
            """)

    @Option(
        parsing: .upToNextOption, help: "Texts to count, plain, gzip or zstd (default: standard input, plain).")
    var input: [String] = []

    @Option(parsing: .upToNextOption, help: "Tables to add up instead; - for standard input.")
    var merge: [String] = []

    @Option(help: "The table to write (default: standard output).")
    var out: String?

    @Flag(help: "Replace an existing table.")
    var force = false

    @Option(help: "The kind of model that will be trained: bpe, word or char.")
    var modelType = VocabularyOptions.ModelType.bpe

    @Option(help: "text, or tsv: each line is a sentence or word, a tab, and how often it occurs (default: text).")
    var inputFormat = ""

    @Option(help: "The encoding of the input, by iconv's name: GB18030, BIG5-HKSCS, UTF-16LE …")
    var encoding = "UTF-8"

    @Option(help: "Lines longer than this many bytes are left out.")
    var maxSentenceLength: Int32 = 4192

    @Option(help: "Cores to use; the result is the same with any number (default: all).")
    var threads: Int?

    @OptionGroup(title: "Which pieces may form") var pieces: PieceRuleOptions
    @OptionGroup(title: "Special pieces") var special: SpecialPieceOptions
    @OptionGroup(title: "Normalization") var normalization: NormalizationOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if !merge.isEmpty, !input.isEmpty { throw ValidationError("--merge and --input exclude each other.") }
        if modelType == .unigram {
            throw ValidationError("unigram models are trained on sentences; counts are for bpe, word and char.")
        }
        if let threads, threads < 1 { throw ValidationError("--threads must be at least 1.") }
    }

    func run() throws {
        if let out, !force, FileManager.default.fileExists(atPath: out) { throw FileError.alreadyExists(path: out) }
        let cores = threads ?? availableProcessors
        let counted =
            try merge.isEmpty
            ? counter().count() : CountedWords(merging: merge, threads: cores, progress: progress.handler())
        if let out {
            var file = try OutputFile(out)
            try counted.write { try file.write($0) }
            try file.commit()
        } else {
            try counted.write { FileHandle.standardOutput.write(Data($0)) }
        }
        if merge.isEmpty {
            let left = counted.skippedLong > 0 ? ", \(counted.skippedLong) too long and left out" : ""
            printDiagnostic("\(counted.sentences) sentences\(left), \(counted.count) distinct words")
        } else {
            printDiagnostic("\(counted.count) distinct words")
        }
    }

    private func counter() throws -> CorpusCounter {
        var specification = Sentencepiece_TrainerSpec()
        specification.input = input.isEmpty ? ["-"] : input
        specification.inputFormat = inputFormat
        specification.modelType = modelType.value
        specification.maxSentenceLength = maxSentenceLength
        specification.vocabSize = .max
        pieces.apply(to: &specification)
        try special.apply(to: &specification)
        var counter = try CorpusCounter(
            specification: specification, normalizerSpecification: try normalization.specification(),
            threads: threads ?? availableProcessors)
        counter.encoding = ["utf-8", "utf8"].contains(encoding.lowercased()) ? nil : encoding
        counter.progress = progress.handler()
        return counter
    }
}
