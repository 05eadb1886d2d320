import PieceModel
import UnicodeText

/// Cuts normalized sentences into the stretches inside which pieces can form.
struct SentenceCutter: Sendable {
    private let rules: PieceRules
    /// Traits of the characters below U+10000; looked up once, since ICU is asked for each.
    private let traits: [PieceRules.Trait]

    /// Neighbours that stay together even if no new piece may hold them.
    private let joined: Set<UInt64>

    /// - Parameter joined: pairs of code points, made by `pair`, that are never cut apart.
    init(rules: PieceRules, joined: Set<UInt64> = []) {
        self.joined = joined
        self.rules = rules
        traits = (UInt32(0)..<0x10000).map { rules.trait(of: $0) }
    }

    static func pair(_ left: UInt32, _ right: UInt32) -> UInt64 {
        UInt64(left) << 32 | UInt64(right)
    }

    /// Hands on the words of a sentence as UTF-8, in order.
    func forEachWord(of sentence: [UInt8], _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        sentence.withUnsafeBufferPointer { text in
            var start = 0
            var index = 0
            var previous: PieceRules.Trait?
            var previousScalar: UInt32 = 0
            while index < text.count {
                let (scalar, length) = UTF8Scalars.decode(text, at: index)
                let trait = scalar < 0x10000 ? traits[Int(scalar)] : rules.trait(of: scalar)
                if let previous, !rules.mayJoin(previous, trait),
                    joined.isEmpty || !joined.contains(Self.pair(previousScalar, scalar))
                {
                    body(UnsafeBufferPointer(rebasing: text[start..<index]))
                    start = index
                }
                previous = trait
                previousScalar = scalar
                index += length
            }
            if start < text.count { body(UnsafeBufferPointer(rebasing: text[start...])) }
        }
    }
}
