import PieceModel
import Testing

@testable import TokenizerTraining

// Vectors of sentencepiece's trainer_interface_test.
struct PieceRulesTests {
    private func allows(_ piece: String, _ adjust: (inout Sentencepiece_TrainerSpec) -> Void = { _ in }) -> Bool {
        var specification = Sentencepiece_TrainerSpec()
        adjust(&specification)
        let rules = PieceRules(specification)
        return rules.allows(piece.unicodeScalars.map { rules.trait(of: $0.value) })
    }

    @Test(arguments: [
        "a", "▁", "▁a", "あいう", "グーグル", "食べる", "$10", "proteïni", "abcdefghijklmnop", "漢字", "１２３",
    ])
    func `allows`(piece: String) {
        #expect(allows(piece))
    }

    @Test(arguments: [
        "", "abcdefghijklmnopq", "a▁", "▁a▁", "a▁b", "漢字ABC", "F1", "1F", "1A2", "$ABC", "a\u{2585}", "ab cd", "a\0b",
    ])
    func `forbids`(piece: String) {
        #expect(!allows(piece))
    }

    @Test func `without splits at spaces they may stand inside`() {
        for piece in ["▁▁▁a", "a▁b", "▁a▁b▁c"] { #expect(allows(piece) { $0.splitByWhitespace = false }) }
        for piece in ["a▁", "▁a▁", "a▁b▁", "▁▁", "▁▁▁"] { #expect(!allows(piece) { $0.splitByWhitespace = false }) }
    }

    @Test func `runs of spaces may be allowed`() {
        #expect(allows("▁▁") { $0.allowWhitespaceOnlyPieces = true })
        #expect(!allows("▁▁"))
        #expect(!allows("a▁▁") { $0.allowWhitespaceOnlyPieces = true })
    }

    @Test func `as suffixes spaces stand last`() {
        for piece in ["▁", "a▁"] { #expect(allows(piece) { $0.treatWhitespaceAsSuffix = true }) }
        for piece in ["▁a", "▁a▁", "a▁b"] { #expect(!allows(piece) { $0.treatWhitespaceAsSuffix = true }) }
    }

    @Test func `split digits stand alone`() {
        for piece in ["1", "１"] { #expect(allows(piece) { $0.splitDigits = true }) }
        for piece in ["59", "x1", "2x", "５９", "＊１"] { #expect(!allows(piece) { $0.splitDigits = true }) }
    }

    @Test func `a digit that splits nothing forgets the script before it`() {
        #expect(allows("9あい0A") { $0.splitByNumber = false })
        #expect(!allows("9Aあ") { $0.splitByNumber = false })
    }

    @Test func `characters after Unicode 9 are Common`() {
        // U+2CEB0, CJK extension F, came with Unicode 10.
        #expect(!allows("中\u{2CEB0}"))
        #expect(allows("。\u{2CEB0}"))
    }

    @Test func `text is cut only where no piece can pass`() {
        let rules = PieceRules(Sentencepiece_TrainerSpec())
        let scalars = "aZ1中あー。▁$\u{301}\u{2585}٣".unicodeScalars.map(\.value)
        for left in scalars {
            for right in scalars {
                let traits = [rules.trait(of: left), rules.trait(of: right)]
                if rules.allows(traits) { #expect(rules.mayJoin(traits[0], traits[1])) }
            }
        }
    }
}
