import ArgumentParser
import FileIO
import Foundation
import PieceModel
import TokenizerTraining

struct PieceRuleOptions: ParsableArguments {
    @Option(help: "The longest piece, in characters.")
    var maxSentencepieceLength: Int32 = 16

    @Option(help: "No piece holds two scripts.")
    var splitByUnicodeScript = SwitchValue(true)

    @Option(help: "Digits are a script of their own.")
    var splitByNumber = SwitchValue(true)

    @Option(help: "A space only begins a piece.")
    var splitByWhitespace = SwitchValue(true)

    @Option(help: "Each digit is a piece of its own.")
    var splitDigits = SwitchValue(false)

    @Option(help: "A space ends a piece instead of beginning it.")
    var treatWhitespaceAsSuffix = SwitchValue(false)

    @Option(help: "Runs of spaces may be pieces.")
    var allowWhitespaceOnlyPieces = SwitchValue(false)

    @Option(help: "A text that no piece passes, as a segmenter may have put it between words (unigram and bpe).")
    var pretokenizationDelimiter = ""

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.pretokenizationDelimiter = pretokenizationDelimiter
        specification.maxSentencepieceLength = maxSentencepieceLength
        specification.splitByUnicodeScript = splitByUnicodeScript.isOn
        specification.splitByNumber = splitByNumber.isOn
        specification.splitByWhitespace = splitByWhitespace.isOn
        specification.splitDigits = splitDigits.isOn
        specification.treatWhitespaceAsSuffix = treatWhitespaceAsSuffix.isOn
        specification.allowWhitespaceOnlyPieces = allowWhitespaceOnlyPieces.isOn
    }
}

struct SpecialPieceOptions: ParsableArguments {
    @Option(help: "Pieces that never come from text, separated by commas.")
    var controlSymbols = ""

    @Option(help: "A file of more control symbols, one a line.")
    var controlSymbolsFile = ""

    @Option(help: "Pieces that are always kept whole, separated by commas.")
    var userDefinedSymbols = ""

    @Option(help: "A file of more user-defined symbols, one a line.")
    var userDefinedSymbolsFile = ""

    @Option(help: "Characters that the alphabet must hold.")
    var requiredChars = ""

    @Option(help: "A file of these characters instead; its line ends count for nothing.")
    var requiredCharsFile = ""

    @Option(help: "Adds 256 byte pieces, which unknown characters are made of.")
    var byteFallback = SwitchValue(false)

    @Option(parsing: .unconditional, help: "The id of the unknown piece.")
    var unkId: Int32 = 0

    @Option(parsing: .unconditional, help: "The id of the piece that begins a text; -1 for none.")
    var bosId: Int32 = 1

    @Option(parsing: .unconditional, help: "The id of the piece that ends a text; -1 for none.")
    var eosId: Int32 = 2

    @Option(parsing: .unconditional, help: "The id of the padding piece; -1 for none.")
    var padId: Int32 = -1

    @Option(help: "The unknown piece.")
    var unkPiece = "<unk>"

    @Option(help: "The piece that begins a text.")
    var bosPiece = "<s>"

    @Option(help: "The piece that ends a text.")
    var eosPiece = "</s>"

    @Option(help: "The padding piece.")
    var padPiece = "<pad>"

    @Option(help: "What the unknown piece decodes to.")
    var unkSurface = " \u{2047} "

    func apply(to specification: inout Sentencepiece_TrainerSpec) throws {
        specification.controlSymbols = try splitList(controlSymbols) + linesIfNamed(controlSymbolsFile)
        specification.userDefinedSymbols = try splitList(userDefinedSymbols) + linesIfNamed(userDefinedSymbolsFile)
        specification.requiredChars =
            requiredCharsFile.isEmpty ? requiredChars : try linesIfNamed(requiredCharsFile).joined()
        specification.byteFallback = byteFallback.isOn
        specification.unkID = unkId
        specification.bosID = bosId
        specification.eosID = eosId
        specification.padID = padId
        specification.unkPiece = unkPiece
        specification.bosPiece = bosPiece
        specification.eosPiece = eosPiece
        specification.padPiece = padPiece
        specification.unkSurface = unkSurface
    }
}

struct NormalizationOptions: ParsableArguments {
    @Option(help: "How text is normalized: nmt_nfkc, nfkc, nmt_nfkc_cf, nfkc_cf or identity.")
    var normalizationRuleName = "nmt_nfkc"

    @Option(
        help: ArgumentHelp(
            "Normalization rules of your own instead: code points in hexadecimal, a tab, what replaces them.",
            valueName: "file"))
    var normalizationRuleTsv = ""

    @Option(help: ArgumentHelp("Rules of the same form that decoding ends with.", valueName: "file"))
    var denormalizationRuleTsv = ""

    @Option(help: "Put a space before each text.")
    var addDummyPrefix = SwitchValue(true)

    @Option(help: "Take out spaces at both ends and all but one between words.")
    var removeExtraWhitespaces = SwitchValue(true)

    func specification() throws -> Sentencepiece_NormalizerSpec {
        var specification = Sentencepiece_NormalizerSpec()
        if normalizationRuleTsv.isEmpty {
            specification.name = normalizationRuleName
            specification.precompiledCharsmap = Data(try NormalizationRules.charsmap(named: normalizationRuleName))
        } else {
            specification.name = "user_defined"
            specification.precompiledCharsmap = Data(
                try NormalizationRules.charsmap(ofRulesAt: normalizationRuleTsv))
        }
        specification.addDummyPrefix = addDummyPrefix.isOn
        specification.removeExtraWhitespaces = removeExtraWhitespaces.isOn
        specification.normalizationRuleTsv = normalizationRuleTsv
        return specification
    }

    /// What decoding ends with; nil for nothing.
    func denormalization() throws -> Sentencepiece_NormalizerSpec? {
        if denormalizationRuleTsv.isEmpty { return nil }
        var specification = Sentencepiece_NormalizerSpec()
        specification.name = "user_defined"
        specification.precompiledCharsmap = Data(try NormalizationRules.charsmap(ofRulesAt: denormalizationRuleTsv))
        specification.addDummyPrefix = false
        specification.removeExtraWhitespaces = false
        specification.escapeWhitespaces = false
        specification.normalizationRuleTsv = denormalizationRuleTsv
        return specification
    }
}

/// The lines of a file; none if no file is named.
private func linesIfNamed(_ path: String) throws -> [String] {
    if path.isEmpty { return [] }
    var lines: [String] = []
    try forEachLine(of: path) { line in
        guard let text = String(validating: line, as: UTF8.self) else {
            throw TrainingError.malformedLine(path: path, line: lines.count + 1, reason: "is not UTF-8")
        }
        lines.append(text)
    }
    return lines
}
