import Checkpoints
import OrderedJSON
import PieceModel
import TokenizerMetrics
import Tokenizers
import VocabularyMerging

/// What extending a vocabulary would save for a text, and what it would cost.
struct ExtensionAdvice {
    /// A number of rows to add.
    struct Size {
        let rows: Int
        let entries: Int
        let worth: ExtensionWorth
        /// New rows that come less than `rarely` times in the text that they were learned from.
        let rareRows: Int
    }

    /// Of a row that comes less often than this in a text, little is learned from it.
    static let rarely = 10
    /// Of the sizes that save almost as much as the best, the least is advised: they save at least this share of it.
    static let almost = 0.95

    let base: String
    /// Pieces that were learned, of which the best are taken.
    let learnedRows: Int
    let texts: [String]
    let divided: AdvisedText
    /// Ascending; the first is none.
    let sizes: [Size]
    let cost: VocabularyCost
    let modelDirectory: String
    let scripts: String
    /// Tokens that the model was made for at once; nil where config.json does not say.
    let context: Int?
    /// Bytes of a number as the checkpoint keeps it.
    let numberBytes: Int
    /// Characters and bytes of what was measured on.
    let measuredCharacters: Int
    let measuredBytes: Int

    /// - Parameter learned: the base with pieces that were learned on top of it from the first part of `divided`.
    /// - Throws: `CheckpointError` if the config is of another family, `MergeError`, `FileError`.
    init(
        config: ModelConfig, modelDirectory: String, base: SentencePieceModel, learned: SentencePieceModel,
        texts: [String],
        divided: AdvisedText, sizes: [Int], scripts: String
    ) throws {
        (self.texts, self.divided, self.modelDirectory, self.scripts) = (texts, divided, modelDirectory, scripts)
        let cost = try VocabularyCost(config)
        self.cost = cost
        context = config["max_position_embeddings"]?.int.flatMap { $0 > 0 ? $0 : nil }
        let type = (config["dtype"] ?? config["torch_dtype"])?.string
        numberBytes = type == "bfloat16" || type == "float16" ? 2 : 4
        self.base = base.path
        let count = base.pieces.count
        learnedRows = learned.pieces.count - count
        let possible = learnedRows
        let rows = Set(sizes.map { min($0, possible) }).subtracting([0]).sorted()
        var options = HarmlessOptions()
        options.scripts = try parsedScripts(scripts)
        options.corpus = [divided.learnedPath]
        var tokenizers = [try Tokenizer(base)]
        for rows in rows {
            options.size = count + rows
            tokenizers.append(try Tokenizer(VocabularyMerge(base: base, addition: learned, harmlessly: options).model))
        }
        let measured = try TokenizationMeasure(file: divided.measuredPath, tokenizers: tokenizers)
        let read = try TokenizationMeasure(file: divided.learnedPath, tokenizers: tokenizers)
        (measuredCharacters, measuredBytes) = (measured.characters, measured.bytes)
        self.sizes = tokenizers.indices.map { index in
            let entries = tokenizers[index].count
            return Size(
                rows: entries - count, entries: entries,
                worth: ExtensionWorth(
                    tokensPerCharacterBefore: ratio(measured.counts[0].tokens, measured.characters),
                    tokensPerCharacterAfter: ratio(measured.counts[index].tokens, measured.characters),
                    costPerToken: cost.ratio(of: entries, to: count)),
                rareRows: read.counts[index].uses.counts[count...].count { $0 < Self.rarely })
        }
    }

    /// The least of the sizes that save almost as much computing as the best; nil where none saves any.
    var advised: Size? {
        let best = sizes.map(\.worth.saving).max() ?? 0
        return best > 0 ? sizes.first { $0.worth.saving >= best * Self.almost } : nil
    }

    var verdict: ExtensionWorth.Verdict { advised?.worth.verdict ?? .no }

    /// Tokens of all texts, by what the held-out ones take a byte.
    func tokens(perCharacter: Double) -> Double {
        perCharacter * Double(measuredCharacters) / Double(measuredBytes) * Double(divided.bytes)
    }

    /// Floating-point operations of training on all texts once: two for each weight forward and four backward.
    func trainingOperations(_ size: Size) -> Double {
        6 * Double(cost.weightsPerToken(entries: size.entries))
            * tokens(perCharacter: size.worth.tokensPerCharacterAfter)
    }
}
