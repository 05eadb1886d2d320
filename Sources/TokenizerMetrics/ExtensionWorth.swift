public import Tokenizers

/// Whether a larger vocabulary is worth having for a text: what computing a text takes before and after.
///
/// The rule: it is worth it where a text takes `worthwhile` (a quarter) less, it gains little from `small` (a tenth) on,
/// and it is not worth it below. What a text takes is its tokens times what a token takes; a token takes the weights that
/// it is multiplied by, if the model is known: those of all layers and of the LM head, which grows with the vocabulary.
public struct ExtensionWorth: Sendable, Equatable {
    public enum Verdict: String, Sendable {
        case yes, little, no
    }

    public var tokensPerCharacterBefore: Double
    public var tokensPerCharacterAfter: Double
    /// What a token of the larger vocabulary takes, where one of the base takes 1.
    public var costPerToken: Double

    public static let worthwhile = 0.25
    public static let small = 0.10

    /// Tokens for a Chinese character with a vocabulary of 20,000 pieces: what the published pair of vocabularies takes on
    /// encyclopedia paragraphs (0.73), technical texts (0.71) and mixed sentences (0.68). What a base is compared with as
    /// long as there is no other.
    public static let reachable = 0.7

    public init(tokensPerCharacterBefore: Double, tokensPerCharacterAfter: Double, costPerToken: Double = 1) {
        self.tokensPerCharacterBefore = tokensPerCharacterBefore
        self.tokensPerCharacterAfter = tokensPerCharacterAfter
        self.costPerToken = costPerToken
    }

    /// What a vocabulary would be worth that takes `reachable` tokens for each Han or kana character of a text, and for the
    /// rest as many as the base; nil for a text that is mostly of other letters.
    ///
    /// - Parameter uses: how the base's vocabulary is used by the text.
    public init?(expectedFor text: TextMakeup, _ uses: EntryUses, in vocabulary: Vocabulary) {
        if text.isSpaced { return nil }
        let tokens = Double(uses.counts.reduce(0, +))
        let chinese = Double(uses.eastAsianTokens(in: vocabulary))
        let expected = min(chinese, Self.reachable * Double(text.eastAsianLetters))
        let characters = Double(text.characters)
        self.init(
            tokensPerCharacterBefore: tokens / characters,
            tokensPerCharacterAfter: (tokens - chinese + expected) / characters)
    }

    /// The share of the tokens that are saved; NaN for an empty text.
    public var savedTokens: Double { 1 - tokensPerCharacterAfter / tokensPerCharacterBefore }

    /// The share that computing the text takes less.
    public var saving: Double { 1 - tokensPerCharacterAfter / tokensPerCharacterBefore * costPerToken }

    /// Nil for an empty text.
    public var verdict: Verdict? {
        if saving.isNaN { return nil }
        return saving >= Self.worthwhile ? .yes : saving >= Self.small ? .little : .no
    }
}
