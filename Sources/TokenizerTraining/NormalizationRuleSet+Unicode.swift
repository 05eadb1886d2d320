extension NormalizationRuleSet {
    /// Compatibility composition (NFKC), for each character and each sequence of characters that composes to one.
    ///
    /// A sequence of single characters that decompose to those of one character's decomposition is a source too. Marks
    /// are not put in order, so that this is less than NFKC of a whole text.
    init(composing mappings: CharacterMappings) {
        let decompositions = mappings.decompositions()
        var variants: [UInt32: [UInt32]] = [:]
        for mapping in decompositions {
            if mapping.composed != [mapping.scalar] { setRule(for: mapping.scalar, to: mapping.composed) }
            if mapping.parts.count == 1 { variants[mapping.parts[0], default: []].append(mapping.scalar) }
        }
        var expanded = SequenceTrie()
        for (index, mapping) in decompositions.enumerated()
        where mapping.parts.count > 1 && mapping.parts != mapping.composed {
            let number = Int32(index)
            if expanded.insert(mapping.parts, value: number) != number { continue }
            appendRules(for: mapping.parts, target: mapping.composed, variants: variants)
        }
    }

    /// Adds a rule for each way to write `parts` with one character for each.
    private mutating func appendRules(for parts: [UInt32], target: [UInt32], variants: [UInt32: [UInt32]]) {
        let number = number(ofTarget: target)
        let choices = parts.map { [$0] + (variants[$0] ?? []) }
        var picks = [Int](repeating: 0, count: parts.count)
        var source = parts
        var position = 0
        while position >= 0 {
            if source != target { append(source, target: number) }
            // Counts up, the last position first.
            position = parts.count - 1
            while position >= 0 {
                picks[position] += 1
                if picks[position] == choices[position].count { picks[position] = 0 }
                source[position] = choices[position][picks[position]]
                if picks[position] > 0 { break }
                position -= 1
            }
        }
    }

    /// What sentencepiece changes for machine translation: spaces of all kinds become the plain one, controls go, and
    /// the full-width tilde stays, which Japanese tells from the half-width one.
    mutating func adaptForTranslation() {
        let spaces: [UInt32] = [
            0x0009, 0x000A, 0x000C, 0x000D, 0x061C, 0x1680, 0x200B, 0x200C, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581,
            0xFEFF, 0xFFFD,
        ]
        for scalar in spaces { setRule(for: scalar, to: [0x20]) }
        let controls = Array(UInt32(0x01)...0x08) + [0x0B] + Array(0x0E...0x1F) + [0x7F, 0x8F, 0x9F]
        for scalar in controls { setRule(for: scalar, to: []) }
        removeRule(for: 0xFF5E)
    }

    /// Folds the case of all targets, and of the characters that have no rule.
    mutating func foldCase(by mappings: CharacterMappings) {
        let foldings = mappings.foldings()
        let folded = Dictionary(foldings.map { ($0.scalar, $0.folded) }) { first, _ in first }
        changeTargets { $0.map { folded[$0] ?? $0 } }
        for folding in foldings where singles[Int(folding.scalar)] < 0 {
            setRule(for: folding.scalar, to: [folding.folded])
        }
    }
}
