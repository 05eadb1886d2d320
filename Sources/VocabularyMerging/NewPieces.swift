import PieceModel
import UnicodeText

/// The pieces that are to follow a base, each made by joining two pieces that come before it or are the base's.
///
/// What is joined below all merges of the base is joined as if the base's own pieces were the characters. A text is cut by
/// all pieces before; if that leaves two parts, the next piece can be these two, and is then always made of them: so no
/// piece is ever out of reach, and one whose text is cut into more parts first gets the bridges that join all but two.
struct NewPieces {
    /// Why a piece is there.
    enum Role: Sendable {
        /// To be there in any case.
        case required
        case optional
        /// Because another needs it.
        case bridge
    }

    struct Entry {
        var text: [UInt8]
        var role: Role
        /// The numbers of the new pieces among the two that it is joined of.
        var parts: [Int]
    }

    private(set) var entries: [Entry] = []
    private var rules: MergeRules
    private let countOfBase: Int
    private let scripts: ScriptSet
    private let reserved: ReservedNames
    private let blocked: Set<[UInt8]>
    private var wanted = ByteStringTable()
    private var roles: [Role] = []

    /// - Parameters:
    ///   - scripts: each new piece holds a character of these.
    ///   - reserved: what no new piece may hold.
    ///   - blocked: texts that may not be pieces.
    init(base: SentencePieceModel, scripts: ScriptSet, reserved: ReservedNames, blocked: Set<[UInt8]> = []) {
        rules = MergeRules(base)
        countOfBase = rules.texts.count
        self.scripts = scripts
        self.reserved = reserved
        self.blocked = blocked
    }

    /// Whether a piece of the text can change no text without the scripts.
    func isOfScripts(_ text: [UInt8]) -> Bool { scripts.isFound(in: text) }

    private func isAdmissible(_ text: [UInt8]) -> Bool {
        isOfScripts(text) && !blocked.contains(text) && !reserved.isFound(in: text)
    }

    func isInBase(_ text: [UInt8]) -> Bool {
        rules.texts.index(of: text).map { $0 < countOfBase } ?? false
    }

    /// Makes known that a piece will be added, so that bridges are rather chosen among such.
    mutating func announce(_ text: [UInt8], as role: Role) {
        if wanted.insert(text).inserted { roles.append(role) }
    }

    /// Adds a piece and what it needs, unless it is there; false if it cannot be reached.
    mutating func add(_ text: [UInt8]) -> Bool {
        if rules.contains(text) { return true }
        guard isAdmissible(text), addCharacters(of: text) else { return false }
        while !rules.contains(text) {
            let parts = rules.encode(text).ends
            let bounds = [0] + parts
            if parts.count == 2 {
                append(text, cut: parts[0])
            } else if let bridge = nextBridge(of: text, bounds) {
                append(
                    Array(text[bounds[bridge.lowerBound]..<bounds[bridge.upperBound]]),
                    cut: bounds[bridge.lowerBound + 1] - bounds[bridge.lowerBound])
            } else {
                return false
            }
        }
        return true
    }

    /// Adds the characters of a text that are no pieces yet; false if one of them may not be added.
    private mutating func addCharacters(of text: [UInt8]) -> Bool {
        let starts = characterStarts(of: text)
        let missing = zip(starts, starts.dropFirst()).map { Array(text[$0..<$1]) }.filter { !rules.contains($0) }
        guard missing.allSatisfy({ isAdmissible($0) }) else { return false }
        for character in missing where !rules.contains(character) { append(character, cut: nil) }
        return true
    }

    private mutating func append(_ text: [UInt8], cut: Int?) {
        let halves = cut.map { [text[..<$0], text[$0...]] } ?? []
        let parts = halves.compactMap { rules.texts.index(of: $0) }.filter { $0 >= countOfBase }
        let role = wanted.index(of: text).map { roles[$0] } ?? .bridge
        entries.append(Entry(text: text, role: role, parts: parts.map { $0 - countOfBase }))
        rules.append(text)
    }

    /// The two parts to join first, on the way with the fewest pieces that are not wanted anyway.
    ///
    /// - Parameter bounds: where the parts begin, and the text's end.
    private func nextBridge(of text: [UInt8], _ bounds: [Int]) -> Range<Int>? {
        func cost(_ parts: Range<Int>) -> Int {
            let bridge = Array(text[bounds[parts.lowerBound]..<bounds[parts.upperBound]])
            // What is there and yet was not made will not be made by being added.
            if rules.contains(bridge) || !isAdmissible(bridge) { return Self.forbidden }
            return wanted.index(of: bridge) == nil ? 1 : 0
        }
        let count = bounds.count - 1
        if count < 3 { return nil }
        let pairs =
            count > MergeTree.mostParts
            ? (0..<count - 1).map { $0..<$0 + 2 } : MergeTree(count: count, cost: cost).nodes.filter { $0.count == 2 }
        return pairs.first { cost($0) < Self.forbidden }
    }

    /// More than any number of bridges.
    private static let forbidden = 1 << 20
}
