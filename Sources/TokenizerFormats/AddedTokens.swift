import OrderedJSON
import Tokenizers
import UnicodeText

/// Tokens that are found in the text before the model sees it.
struct AddedTokens: Sendable {
    /// The token of each id.
    private(set) var contents: [Int32: [UInt8]] = [:]
    private(set) var tokens: [Token] = []
    /// How many of them the model's vocabulary lacks.
    private(set) var countBeyondVocabulary = 0
    private var special: Set<[UInt8]> = []
    private var finders: [Stage: Finder] = [:]

    /// When a token is looked for: in the text as given, or after normalization.
    enum Stage: Sendable { case asGiven, normalized }

    struct Token: Sendable {
        var id: Int32
        var content: [UInt8]
        var isSpecial: Bool
        var isNormalized: Bool
        var isWholeWord: Bool
        var stripsLeft: Bool
        var stripsRight: Bool
    }

    private struct Finder: Sendable {
        var trie: DoubleArrayTrie
        var tokens: [Token]
        /// The bytes that some token begins with.
        var starts: Set<UInt8>
    }

    /// A part of a text: an added token if `id` is there.
    struct Part {
        var id: Int32?
        var range: Range<Int>
    }

    init(_ node: FileNode?, _ vocabulary: TokenTable, _ normalizer: TextNormalizer) throws(TokenizerFormatError) {
        guard let node else { return }
        var ids: [[UInt8]: Int32] = [:]
        for element in try node.elements() {
            let token = try Self.token(element)
            let place = "(\(shown(token.content)))"
            if token.content.isEmpty || token.content.contains(0) {
                throw element.failure("\(place) is empty or holds a NUL")
            }
            if let other = vocabulary.id(of: token.content), other != token.id {
                throw element.failure("\(place) has the id \(token.id), and in model.vocab the id \(other)")
            }
            if let other = contents[token.id] ?? vocabulary.token(of: token.id), other != token.content {
                throw element.failure("\(place) has the id \(token.id), which is that of \(shown(other))")
            }
            if let other = ids[token.content], other != token.id {
                throw element.failure("\(place) has the ids \(other) and \(token.id)")
            }
            if contents[token.id] != nil { continue }
            ids[token.content] = token.id
            contents[token.id] = token.content
            tokens.append(token)
            if token.isSpecial { special.insert(token.content) }
            if vocabulary.id(of: token.content) == nil { countBeyondVocabulary += 1 }
        }
        addFinder(.asGiven, tokens.filter { !$0.isNormalized }) { $0 }
        addFinder(.normalized, tokens.filter(\.isNormalized)) { normalizer.normalize($0) }
    }

    private static func token(_ node: FileNode) throws(TokenizerFormatError) -> Token {
        Token(
            id: try node.member("id").id(), content: try node.member("content").bytes(),
            isSpecial: try node.flag("special", default: false),
            isNormalized: try node.flag("normalized", default: true),
            isWholeWord: try node.flag("single_word", default: false),
            stripsLeft: try node.flag("lstrip", default: false), stripsRight: try node.flag("rstrip", default: false))
    }

    private mutating func addFinder(_ stage: Stage, _ chosen: [Token], _ form: ([UInt8]) -> [UInt8]) {
        var seen: Set<[UInt8]> = []
        var kept: [Token] = []
        var keys: [[UInt8]] = []
        for token in chosen {
            let key = form(token.content)
            if key.isEmpty || key.contains(0) || !seen.insert(key).inserted { continue }
            keys.append(key)
            kept.append(token)
        }
        if keys.isEmpty { return }
        finders[stage] = Finder(trie: DoubleArrayTrie(keys: keys), tokens: kept, starts: Set(keys.compactMap(\.first)))
    }

    func isSpecial(_ token: [UInt8]) -> Bool { special.contains(token) }

    /// The text in parts, the leftmost and there the longest tokens cut out.
    func split(_ text: [UInt8], _ stage: Stage) -> [Part] {
        guard let finder = finders[stage] else { return text.isEmpty ? [] : [Part(range: 0..<text.count)] }
        var parts: [Part] = []
        var done = 0
        var position = 0
        while position < text.count {
            guard finder.starts.contains(text[position]),
                let match = text.withUnsafeBufferPointer({ finder.trie.longestPrefix(of: $0, from: position) })
            else {
                position += 1
                continue
            }
            let token = finder.tokens[match.value]
            let found = position..<position + match.length
            position = found.upperBound
            if token.isWholeWord, touchesWord(found, of: text) { continue }
            let start = token.stripsLeft ? max(leftEndOfSpace(before: found.lowerBound, text), done) : found.lowerBound
            let end = token.stripsRight ? rightEndOfSpace(after: found.upperBound, text) : found.upperBound
            if done < start { parts.append(Part(range: done..<start)) }
            parts.append(Part(id: token.id, range: max(start, done)..<max(end, done)))
            done = max(end, done)
        }
        if done < text.count { parts.append(Part(range: done..<text.count)) }
        return parts
    }
}

private func touchesWord(_ range: Range<Int>, of text: [UInt8]) -> Bool {
    let before = String(decoding: text[..<range.lowerBound], as: UTF8.self).unicodeScalars.last
    let after = String(decoding: text[range.upperBound...], as: UTF8.self).unicodeScalars.first
    return before.map(isWordCharacter) == true || after.map(isWordCharacter) == true
}

/// `\w` of Unicode's regular expressions.
private func isWordCharacter(_ scalar: Unicode.Scalar) -> Bool {
    let properties = scalar.properties
    switch properties.generalCategory {
    case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: return true
    default: return properties.isAlphabetic || properties.isJoinControl
    }
}

private func leftEndOfSpace(before end: Int, _ text: [UInt8]) -> Int {
    let spaces = String(decoding: text[..<end], as: UTF8.self).unicodeScalars.reversed().prefix {
        $0.properties.isWhitespace
    }
    return end - spaces.reduce(0) { $0 + UTF8.width($1) }
}

private func rightEndOfSpace(after start: Int, _ text: [UInt8]) -> Int {
    let spaces = String(decoding: text[start...], as: UTF8.self).unicodeScalars.prefix { $0.properties.isWhitespace }
    return start + spaces.reduce(0) { $0 + UTF8.width($1) }
}
