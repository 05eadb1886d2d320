import OrderedJSON
import UnicodeText

/// The `pre_tokenizer` of a tokenizer.json: how a text is cut into words, each of which the model sees alone.
struct PreTokenizer: Sendable {
    private(set) var steps: [Step] = []

    enum Step: Sendable {
        case metaspace(replacement: [UInt8], prepends: Prepending, splits: Bool)
        case whitespace
        /// Words end with the pattern.
        case split(after: [UInt8])
    }

    enum Prepending: String, Sendable { case always, first, never }

    init(_ node: FileNode?) throws(TokenizerFormatError) {
        if let node { try add(node) }
    }

    private mutating func add(_ node: FileNode) throws(TokenizerFormatError) {
        switch try node.type() {
        case "Sequence": for child in try node.member("pretokenizers").elements() { try add(child) }
        case "Metaspace":
            steps.append(
                .metaspace(
                    replacement: try node.member("replacement").bytes(), prepends: try prepending(of: node),
                    splits: try node.flag("split", default: true)))
        case "WhitespaceSplit": steps.append(.whitespace)
        case "Split":
            guard let pattern = try node.literalPattern(), !pattern.isEmpty,
                try node.member("behavior").string() == "MergedWithPrevious", try !node.flag("invert", default: false)
            else { throw node.unsupported("a Split by an expression, or that keeps the pattern elsewhere") }
            steps.append(.split(after: pattern))
        case let other: throw node.unsupported("a pre-tokenizer of type \(other)")
        }
    }

    private struct Word {
        var text: [UInt8]
        /// Whether it begins where the whole text begins.
        var isFirst: Bool
    }

    /// The words of a text.
    func words(of text: [UInt8], isFirst: Bool) -> [[UInt8]] {
        var words = [Word(text: text, isFirst: isFirst)]
        for step in steps {
            words = words.flatMap { word in
                let texts = apply(step, to: word)
                return texts.enumerated().map { Word(text: $0.element, isFirst: word.isFirst && $0.offset == 0) }
            }
        }
        return words.map(\.text).filter { !$0.isEmpty }
    }

    private func apply(_ step: Step, to word: Word) -> [[UInt8]] {
        if word.text.isEmpty { return [] }
        switch step {
        case .metaspace(let replacement, let prepends, let splits):
            var text = replacing([0x20], in: word.text, with: replacement)
            let wants = prepends == .always || (prepends == .first && word.isFirst)
            if wants, !text.starts(with: replacement) { text = replacement + text }
            return splits ? cut(text, before: replacement) : [text]
        case .whitespace:
            let scalars = String(decoding: word.text, as: UTF8.self).unicodeScalars
            return scalars.split { $0.properties.isWhitespace }.map { Array(String($0).utf8) }
        case .split(let pattern): return cut(word.text, after: pattern)
        }
    }

    /// Each part but the first begins with the mark.
    private func cut(_ text: [UInt8], before mark: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var start = 0
        var index = 0
        while index < text.count {
            if text[index] == mark.first, text[index...].starts(with: mark) {
                if index > start { parts.append(Array(text[start..<index])) }
                start = index
                index += max(mark.count, 1)
            } else {
                index += 1
            }
        }
        return parts + [Array(text[start...])]
    }

    private func cut(_ text: [UInt8], after mark: [UInt8]) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var start = 0
        var index = 0
        while index < text.count {
            if text[index] == mark[0], text[index...].starts(with: mark) {
                index += mark.count
                parts.append(Array(text[start..<index]))
                start = index
            } else {
                index += 1
            }
        }
        return start < text.count ? parts + [Array(text[start...])] : parts
    }
}

/// When Metaspace puts a mark before a text; files written before 0.15 say `add_prefix_space` instead.
func prepending(of node: FileNode) throws(TokenizerFormatError) -> PreTokenizer.Prepending {
    guard let scheme = node["prepend_scheme"] else {
        return try node.flag("add_prefix_space", default: true) ? .always : .never
    }
    guard let prepends = PreTokenizer.Prepending(rawValue: try scheme.string()) else {
        throw scheme.failure("is none of always, first and never")
    }
    return prepends
}
