import UnicodeText

/// Decompositions and case foldings of Unicode 17's characters, which do not depend on the running ICU's version.
///
/// What ICU knows of a character up to Unicode 17 is taken from it, and the supplement speaks for the others. Unicode
/// keeps the mappings of a character as they were when it was assigned.
struct CharacterMappings {
    struct Decomposition {
        let scalar: UInt32
        /// NFKD.
        let parts: [UInt32]
        /// NFKC; the character itself where it only has a canonical decomposition.
        let composed: [UInt32]
    }

    struct Folding {
        let scalar: UInt32
        let folded: UInt32
    }

    /// The Unicode version of sentencepiece 0.2.3's own rules.
    static let latestVersion = 17

    private let trustedVersion: Int

    /// - Parameter version: characters of later versions are taken from the supplement even if ICU knows them.
    init(trustingUpTo version: Int = latestVersion) {
        trustedVersion = version
    }

    private func isTrusted(_ scalar: UInt32) -> Bool {
        UnicodeScript.age(of: scalar).major <= trustedVersion
    }

    /// All characters that NFKD changes.
    func decompositions() -> [Decomposition] {
        var found = NormalizationSupplement.decompositions().filter { !isTrusted($0.scalar) }
        for scalar in UInt32(1)...0x10FFFF {
            guard let parts = UnicodeNormalization.decomposition(of: scalar), isTrusted(scalar) else { continue }
            found.append(Decomposition(scalar: scalar, parts: parts, composed: UnicodeNormalization.nfkc([scalar])))
        }
        return found
    }

    /// All characters with a simple case folding.
    func foldings() -> [Folding] {
        var found = NormalizationSupplement.foldings().filter { !isTrusted($0.scalar) }
        for scalar in UInt32(1)...0x10FFFF {
            let folded = UnicodeNormalization.simpleFold(of: scalar)
            if folded != scalar, isTrusted(scalar) { found.append(Folding(scalar: scalar, folded: folded)) }
        }
        return found
    }
}
