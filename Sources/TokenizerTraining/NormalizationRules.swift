/// The named normalization rules of sentencepiece 0.2.3 (Unicode 17), compiled from the running ICU.
///
/// Each gives the same bytes as sentencepiece 0.2.3, whichever ICU from Unicode 13 on is there.
public enum NormalizationRules: String, CaseIterable, Sendable {
    /// Compatibility composition.
    case nfkc
    /// The same with odd spaces made plain, control characters dropped, and the full-width tilde kept.
    case nfkcForTranslation = "nmt_nfkc"
    /// Compatibility composition and simple case folding.
    case nfkcFolded = "nfkc_cf"
    case nfkcForTranslationFolded = "nmt_nfkc_cf"
    /// No rules.
    case identity

    /// The `precompiled_charsmap` of a model that is trained with these rules; empty for `identity`.
    ///
    /// - Throws: `TrainingError.badSpecification` if there are no rules of this name.
    public static func charsmap(named name: String) throws(TrainingError) -> [UInt8] {
        guard let rules = NormalizationRules(rawValue: name) else {
            let known = allCases.map(\.rawValue).joined(separator: ", ")
            throw .badSpecification(
                flag: "normalization-rule-name", reason: "there are no rules \"\(name)\"; choose one of \(known)")
        }
        return rules.charsmap(by: CharacterMappings())
    }

    /// The compiled rules, from what `mappings` knows of the characters.
    func charsmap(by mappings: CharacterMappings) -> [UInt8] {
        if self == .identity { return [] }
        var rules = NormalizationRuleSet(composing: mappings)
        rules.removeRedundant()
        if self == .nfkcForTranslation || self == .nfkcForTranslationFolded {
            rules.adaptForTranslation()
            rules.removeRedundant()
        }
        if self == .nfkcFolded || self == .nfkcForTranslationFolded {
            rules.foldCase(by: mappings)
            rules.removeRedundant()
        }
        return rules.charsmap()
    }
}
