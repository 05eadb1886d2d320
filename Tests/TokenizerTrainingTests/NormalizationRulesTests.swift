import FileIO
import Foundation
import PieceModel
import Testing
import Tokenizers

@testable import TokenizerTraining

/// The charsmaps that sentencepiece 0.2.3 puts into models.
struct NormalizationRulesTests {
    /// Each is compiled once for all tests.
    static let nfkc = NormalizationRules.nfkc.charsmap(by: CharacterMappings())
    static let translation = NormalizationRules.nfkcForTranslation.charsmap(by: CharacterMappings())
    static let folded = NormalizationRules.nfkcFolded.charsmap(by: CharacterMappings())
    static let translationFolded = NormalizationRules.nfkcForTranslationFolded.charsmap(by: CharacterMappings())

    @Test func theBytesAreThoseOfSentencePiece() {
        #expect(Self.nfkc.count == 240_008)
        #expect(digest(Self.nfkc) == "7e46d9e08af4b6a37991b04fb8388644c1595a0abcd0f26d6a5d575e2a3663ea")
        #expect(Self.translation.count == 240_007)
        #expect(digest(Self.translation) == "1e2c7b43d3ee9755ceaa2ac335e253d8703604e0249ee1e81156c92b46423844")
        #expect(Self.folded.count == 247_165)
        #expect(digest(Self.folded) == "d8dfef3d6db0eef0742f8b55a73aee7fce6c1e21d26a09b8d3d4b52c42a791cb")
        #expect(Self.translationFolded.count == 247_164)
        #expect(digest(Self.translationFolded) == "2c03512e62f9ed965ec90d85314211b63b5b8aa0395311ea2147eec9ff738907")
    }

    @Test func anOlderICUGivesTheSameBytes() {
        let mappings = CharacterMappings(trustingUpTo: 13)
        #expect(NormalizationRules.nfkcForTranslationFolded.charsmap(by: mappings) == Self.translationFolded)
    }

    @Test func identityHasNoRules() throws {
        #expect(try NormalizationRules.charsmap(named: "identity").isEmpty)
    }

    @Test func anUnknownNameIsRefusedWithTheNamesThatExist() {
        #expect {
            try NormalizationRules.charsmap(named: "nfd")
        } throws: { error in
            "\(error)".contains("\"nfd\"") && "\(error)".contains("nfkc, nmt_nfkc, nfkc_cf, nmt_nfkc_cf, identity")
        }
    }

    /// The right sides are what sentencepiece 0.2.3 gives, with extra whitespace kept.
    @Test(arguments: [
        ("ＫＡＤＯＫＡＷＡ ＡＢＣ①②③", "KADOKAWA ABC123"), ("㌔㍍ ㌕ ｶﾞｷﾞ", "キロメートル キログラム ガギ"),
        ("a\u{0}b\u{1}c\td\u{200B}e\u{61C}f", "a\u{0}bc d e f"), ("～x", "～x"),
        ("\u{1112}\u{1161}\u{11AB}ㅎㅏㄴ", "\u{D55C}하\u{1102}"), ("e\u{301}\u{323}", "é\u{323}"),
        ("\u{1CCD6}\u{1CCEF}", "AZ"), ("\u{1611E}\u{1611E}\u{1611F}", "\u{16126}"), ("\u{ADDF0}ﬁ", "\u{ADDF0}fi"),
    ])
    func textBecomesWhatSentencePieceMakesOfIt(text: String, expected: String) throws {
        #expect(Array(expected.utf8) == (try normalized(text, by: Self.translation)))
    }

    @Test func caseIsFoldedBySingleCharacters() throws {
        #expect(
            try normalized("ÀẞΣς Ⅻ ＡİI\u{16EA0}\u{10D50}", by: Self.folded)
                == Array("àßσσ xii aİi\u{16EBB}\u{10D70}".utf8))
        #expect(try normalized("～ＡB", by: Self.folded) == Array("~ab".utf8))
        #expect(try normalized("～ＡB", by: Self.translationFolded) == Array("～ab".utf8))
    }

    private func normalized(_ text: String, by charsmap: [UInt8]) throws -> [UInt8] {
        var specification = Sentencepiece_NormalizerSpec()
        specification.precompiledCharsmap = Data(charsmap)
        specification.addDummyPrefix = false
        specification.removeExtraWhitespaces = false
        specification.escapeWhitespaces = false
        return try Normalizer(
            specification: specification, treatsWhitespaceAsSuffix: false, path: "rules"
        ).normalize(text)
    }

    private func digest(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { SHA256.hexDigest(of: $0) }
    }
}
