import ArgumentParser
import FileIO
import Foundation
import PieceModel
import TokenizerTraining

struct TrainFileOptions: ParsableArguments {
    @Option(help: "Text files, one sentence or paragraph a line, separated by commas; plain, gzip or zstd.")
    var input: String

    @Option(help: "Where the model goes: PREFIX.model and PREFIX.vocab are written.")
    var modelPrefix: String

    @Option(help: "Lines longer than this many bytes are left out.")
    var maxSentenceLength: Int32 = 4192

    @Option(name: .customLong("num-threads"), help: "Written to the model as spm_train does; changes no piece.")
    var partitions: Int32 = 16

    @Option(help: "Cores to use (default: all).")
    var threads: Int?

    @Flag(help: "Replace an existing model.")
    var force = false

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.input = splitList(input)
        specification.inputFormat = ""
        specification.modelPrefix = modelPrefix
        specification.maxSentenceLength = maxSentenceLength
        specification.inputSentenceSize = 0
        specification.shuffleInputSentence = true
        specification.numThreads = partitions
    }

    func checkOutputs() throws {
        let path = modelPrefix + ".model"
        if !force, FileManager.default.fileExists(atPath: path) { throw FileError.alreadyExists(path: path) }
    }
}

struct VocabularyOptions: ParsableArguments {
    enum ModelType: String, ExpressibleByArgument, CaseIterable {
        case unigram, bpe, char, word
    }

    @Option(help: "The kind of model.")
    var modelType = ModelType.bpe

    @Option(help: "Entries in the vocabulary, special pieces included.")
    var vocabSize: Int32 = 8000

    @Option(help: "The share of characters that the alphabet covers, 0.98 to 1.")
    var characterCoverage: Float = 0.9995

    @Option(help: "An error if the corpus cannot give that many pieces; otherwise fewer will do.")
    var hardVocabLimit = SwitchValue(true)

    @Option(help: "Keep every character, whatever the coverage.")
    var useAllVocab = SwitchValue(false)

    @Option(help: "Write scores to PREFIX.vocab.")
    var vocabularyOutputPieceScore = SwitchValue(true)

    @Option(
        help: ArgumentHelp(
            "A base model that the vocabulary will be merged with; training goes on past --vocab-size until the merge "
                + "reaches --merged-size.", valueName: "model"))
    var mergeWith: String?

    @Option(help: "Entries that the merge with --merge-with shall have, such as 49953.")
    var mergedSize: Int?

    func validate() throws {
        if (mergeWith == nil) != (mergedSize == nil) {
            throw ValidationError("--merge-with and --merged-size go together")
        }
    }

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.modelType =
            switch modelType {
            case .unigram: .unigram
            case .bpe: .bpe
            case .char: .char
            case .word: .word
            }
        specification.vocabSize = vocabSize
        specification.characterCoverage = characterCoverage
        specification.seedSentencepieceSize = 1_000_000
        specification.shrinkingFactor = 0.75
        specification.numSubIterations = 2
        specification.hardVocabLimit = hardVocabLimit.isOn
        specification.useAllVocab = useAllVocab.isOn
        specification.vocabularyOutputPieceScore = vocabularyOutputPieceScore.isOn
        specification.pretokenizationDelimiter = ""
        specification.seedSentencepiecesFile = ""
        specification.autoCharacterCoverage = false
    }

    func growth() throws -> TokenizerTrainer.Growth? {
        guard let mergeWith, let mergedSize else { return nil }
        let base = try SentencePieceModel(contentsOf: tokenizerPath(mergeWith))
        return TokenizerTrainer.Growth(base: base, newPieces: max(0, mergedSize - base.pieces.count))
    }
}

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

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
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

    @Option(help: "Pieces that are always kept whole, separated by commas.")
    var userDefinedSymbols = ""

    @Option(help: "Characters that the alphabet must hold.")
    var requiredChars = ""

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

    func apply(to specification: inout Sentencepiece_TrainerSpec) {
        specification.controlSymbols = splitList(controlSymbols)
        specification.userDefinedSymbols = splitList(userDefinedSymbols)
        specification.requiredChars = requiredChars
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

    @Option(help: "Put a space before each text.")
    var addDummyPrefix = SwitchValue(true)

    @Option(help: "Take out spaces at both ends and all but one between words.")
    var removeExtraWhitespaces = SwitchValue(true)

    func specification() throws -> Sentencepiece_NormalizerSpec {
        var specification = Sentencepiece_NormalizerSpec()
        specification.name = normalizationRuleName
        specification.precompiledCharsmap = Data(try NormalizationRules.charsmap(named: normalizationRuleName))
        specification.addDummyPrefix = addDummyPrefix.isOn
        specification.removeExtraWhitespaces = removeExtraWhitespaces.isOn
        specification.normalizationRuleTsv = ""
        return specification
    }
}

/// The fields of a comma-separated list; a field in double quotes may hold commas, `""` is a quote in it.
func splitList(_ text: String) -> [String] {
    var fields: [String] = []
    var field = ""
    var isQuoted = false
    var characters = text.unicodeScalars.makeIterator()
    var pending = characters.next()
    while let character = pending {
        pending = characters.next()
        if isQuoted {
            if character != "\"" {
                field.unicodeScalars.append(character)
            } else if pending == "\"" {
                field.unicodeScalars.append(character)
                pending = characters.next()
            } else {
                isQuoted = false
            }
        } else if character == "\"", field.isEmpty {
            isQuoted = true
        } else if character == "," {
            fields.append(field)
            field = ""
        } else {
            field.unicodeScalars.append(character)
        }
    }
    if !text.isEmpty { fields.append(field) }
    return fields
}
