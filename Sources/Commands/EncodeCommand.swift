import ArgumentParser
import FileIO
import Foundation
import TokenizerFormats
import Tokenizers

struct EncodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "encode",
        abstract: "Turns lines of text into ids or pieces.",
        discussion: """
            One line of output for each line of input, items joined by a space, as spm_encode does; with json an object \
            of ids, pieces and the bytes that each stands for; with nbest_id and nbest_piece a line for each of the best \
            segmentations. The sampling formats draw one: sentencepiece's own random numbers cannot be had again, so \
            only their distribution is the same.

            Example: echo '人工智能是计算机科学' | kuoci encode --model out/merged/tokenizer.model
            """)

    /// Options that may stand without a value.
    static let switches: Set<String> = ["--generate-vocabulary"]

    @Option(help: "A SentencePiece .model file, a directory that holds tokenizer.model, or a tokenizer.json.")
    var model: String

    @Option(help: "What to print: piece, id, json, nbest_id, nbest_piece, sample_id or sample_piece.")
    var outputFormat = LineFormat.piece

    @Option(help: "What to add to each line's pieces, in order and joined by colons: bos, eos, reverse, unk_piece.")
    var extraOptions = ""

    @Option(
        parsing: .unconditional,
        help: "Segmentations of an n-best list, or to draw from; below zero: draw from all (unigram models).")
    var nbestSize = 10

    @Option(help: "Sampling: how much scores count (unigram), or the probability of skipping a merge (bpe).")
    var alpha: Float = 0.5

    @Option(help: "The seed of sampling.")
    var randomSeed: UInt64 = 0

    @Option(help: "Print each piece and how often it came instead of the lines.")
    var generateVocabulary = SwitchValue(false)

    @OptionGroup var files: LineFileOptions

    func validate() throws {
        if model.hasSuffix(".json"), outputFormat != .id || !extraOptions.isEmpty || generateVocabulary.isOn {
            throw ValidationError("a tokenizer.json gives ids only: add --output-format id and no other option")
        }
    }

    func run() throws {
        if model.hasSuffix(".json") {
            let tokenizer = try HuggingFaceTokenizer(contentsOf: model)
            return try files.process { HuggingFaceEncodingWorker(tokenizer) }
        }
        let tokenizer = try Tokenizer(contentsOf: tokenizerPath(model))
        let options = try EncodingOptions(extraOptions, for: tokenizer)
        if generateVocabulary.isOn { return try countPieces(tokenizer, options) }
        let sampling = SamplingOptions(candidates: nbestSize, alpha: alpha, seed: randomSeed)
        try files.process {
            EncodingWorker(LineEncoder(tokenizer, format: outputFormat, options: options, sampling: sampling))
        }
    }

    private func countPieces(_ tokenizer: Tokenizer, _ options: EncodingOptions) throws {
        let counts = PieceCounts()
        try files.process {
            CountingWorker(counts.lane(), tokenizer, options)
        } ending: {
            counts.text
        }
    }
}

private final class EncodingWorker: LineWorker {
    private let encoder: LineEncoder

    init(_ encoder: LineEncoder) {
        self.encoder = encoder
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) throws {
        try encoder.encode(line, number: number)
    }

    func flush(to output: TextOutput) throws {
        try output.write(encoder.output)
        encoder.clear()
    }
}
