import ArgumentParser
import FileIO
import Foundation
import PieceModel
import TokenizerTraining
import Tokenizers

struct NormalizeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "normalize",
        abstract: "Normalizes lines of text by a model's rules, or by named rules or a rule file.",
        discussion: """
            As spm_normalize: without --use-internal-normalization spaces stay spaces and none is put in front. With \
            --decompile the rules themselves are printed, in the form that --normalization-rule-tsv reads.

            Example: echo 'ＫＡＤＯＫＡＷＡ  ①' | kuoci normalize --normalization-rule-name nfkc
            """)

    /// Options that may stand without a value.
    static let switches: Set<String> = ["--use-internal-normalization", "--decompile", "--remove-extra-whitespaces"]

    @Option(help: "A SentencePiece .model file, or a directory that holds tokenizer.model.")
    var model: String?

    @Option(help: "Named rules: nfkc, nmt_nfkc, nfkc_cf, nmt_nfkc_cf or identity.")
    var normalizationRuleName = ""

    @Option(help: "A file of rules: source and target as hexadecimal code points, a tab between them.")
    var normalizationRuleTsv = ""

    @Option(help: "Normalize as for segmentation: spaces as ▁, one in front if the model adds it.")
    var useInternalNormalization = SwitchValue(false)

    @Option(help: "Remove leading, trailing and repeated spaces.")
    var removeExtraWhitespaces = SwitchValue(true)

    @Option(help: "Print the rules instead of normalizing.")
    var decompile = SwitchValue(false)

    @OptionGroup var files: LineFileOptions

    func validate() throws {
        guard model != nil || !normalizationRuleName.isEmpty || !normalizationRuleTsv.isEmpty else {
            throw ValidationError("give --model, --normalization-rule-tsv or --normalization-rule-name")
        }
    }

    func run() throws {
        let specification = try specification()
        let normalizer = try Normalizer(
            specification: specification, treatsWhitespaceAsSuffix: false, path: model ?? normalizationRuleTsv)
        if decompile.isOn {
            let output = try TextOutput(files.output)
            try normalizer.ruleLines.withUnsafeBytes { try output.write($0) }
            return try output.commit()
        }
        try files.process { NormalizingWorker(normalizer) }
    }

    private func specification() throws -> Sentencepiece_NormalizerSpec {
        var specification = Sentencepiece_NormalizerSpec()
        if let model {
            specification = try SentencePieceModel(contentsOf: tokenizerPath(model)).proto.normalizerSpec
        } else if !normalizationRuleTsv.isEmpty {
            specification.precompiledCharsmap = Data(try NormalizationRules.charsmap(ofRulesAt: normalizationRuleTsv))
        } else {
            specification.precompiledCharsmap = Data(try NormalizationRules.charsmap(named: normalizationRuleName))
        }
        if !useInternalNormalization.isOn {
            specification.addDummyPrefix = false
            specification.escapeWhitespaces = false
            specification.removeExtraWhitespaces = removeExtraWhitespaces.isOn
        }
        return specification
    }
}

private final class NormalizingWorker: LineWorker {
    private let normalizer: Normalizer
    private var text: [UInt8] = []

    init(_ normalizer: Normalizer) {
        self.normalizer = normalizer
    }

    func process(_ line: UnsafeBufferPointer<UInt8>, number: Int) {
        text.append(contentsOf: normalizer.normalize(line))
        text.append(0x0A)
    }

    func flush(to output: TextOutput) throws {
        try text.withUnsafeBytes { try output.write($0) }
        text.removeAll(keepingCapacity: true)
    }
}
