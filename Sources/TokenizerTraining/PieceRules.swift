import PieceModel
import UnicodeText

/// Which character sequences may become a piece: the rules of SentencePiece's trainers.
struct PieceRules: Sendable {
    let longestPiece: Int
    private let splitsByScript: Bool
    let splitsByWhitespace: Bool
    private let splitsByNumber: Bool
    private let splitsDigits: Bool
    let treatsWhitespaceAsSuffix: Bool
    let allowsWhitespaceOnly: Bool
    /// If given, each piece holds such a character.
    private let scripts: ScriptSet?

    /// ▁, a space.
    static let space: UInt32 = 0x2581
    /// ▅, what a character outside the alphabet becomes.
    static let unknown: UInt32 = 0x2585
    /// U+001F, what a special piece in the text becomes.
    static let boundary: UInt32 = 0x1F

    init(_ specification: Sentencepiece_TrainerSpec, scripts: ScriptSet? = nil) {
        self.scripts = scripts
        longestPiece = Int(specification.maxSentencepieceLength)
        splitsByScript = specification.splitByUnicodeScript
        splitsByWhitespace = specification.splitByWhitespace
        splitsByNumber = specification.splitByNumber
        splitsDigits = specification.splitDigits
        treatsWhitespaceAsSuffix = specification.treatWhitespaceAsSuffix
        allowsWhitespaceOnly = specification.allowWhitespaceOnlyPieces
    }

    /// What the rules need to know of a character.
    struct Trait: Sendable {
        enum Kind { case ordinary, space, digit, forbidden }
        var kind: Kind
        var script: PieceScript
        /// Whether a piece may be there for its sake.
        var isWanted: Bool
    }

    func trait(of scalar: UInt32) -> Trait {
        let isWanted = scripts?.contains(scalar) ?? true
        switch scalar {
        case Self.space: return Trait(kind: .space, script: .any, isWanted: isWanted)
        case Self.unknown, Self.boundary, 0, 0x20: return Trait(kind: .forbidden, script: .any, isWanted: false)
        case 0x30...0x39, 0xFF10...0xFF19:
            let script = splitsByNumber ? PieceScript(of: scalar) : .any
            return Trait(kind: .digit, script: script, isWanted: isWanted)
        default: return Trait(kind: .ordinary, script: PieceScript(of: scalar), isWanted: isWanted)
        }
    }

    /// May a piece hold exactly these characters?
    func allows(_ piece: some RandomAccessCollection<Trait>) -> Bool {
        if piece.isEmpty || piece.count > longestPiece { return false }
        if scripts != nil, !piece.contains(where: \.isWanted) { return false }
        let isAllSpace = allowsWhitespaceOnly && piece.allSatisfy { $0.kind == .space }
        var previous = PieceScript.any
        for (position, trait) in piece.enumerated() {
            switch trait.kind {
            case .forbidden: return false
            case .space:
                if !isAllSpace, !allowsSpace(at: position, of: piece.count) { return false }
            case .digit, .ordinary:
                if trait.kind == .digit, splitsDigits, piece.count > 1 { return false }
                let script = trait.script == .inherited ? previous : trait.script
                if splitsByScript, script != .any, previous != .any, script != previous { return false }
                previous = script
            }
        }
        return true
    }

    private func allowsSpace(at position: Int, of count: Int) -> Bool {
        let last = count - 1
        return switch (treatsWhitespaceAsSuffix, splitsByWhitespace) {
        case (false, true): position == 0
        case (false, false): position == 0 || position < last
        case (true, true): position == last
        case (true, false): position > 0 || position == last
        }
    }

    /// Can any piece at all hold `left` directly before `right`? Text may be cut wherever none can.
    func mayJoin(_ left: Trait, _ right: Trait) -> Bool {
        if left.kind == .forbidden || right.kind == .forbidden { return false }
        if splitsDigits, left.kind == .digit || right.kind == .digit { return false }
        if left.kind == .space || right.kind == .space { return mayJoinSpace(left, right) }
        // A mark takes the script of what comes before, which only the whole piece tells.
        if left.script == .inherited || right.script == .inherited { return true }
        return !splitsByScript || left.script == .any || right.script == .any || left.script == right.script
    }

    private func mayJoinSpace(_ left: Trait, _ right: Trait) -> Bool {
        if !splitsByWhitespace { return true }
        if left.kind == .space, right.kind == .space { return allowsWhitespaceOnly }
        return treatsWhitespaceAsSuffix ? right.kind == .space : left.kind == .space
    }
}
