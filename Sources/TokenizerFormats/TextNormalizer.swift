import Foundation
import OrderedJSON
import Tokenizers
import UnicodeText

/// The `normalizer` of a tokenizer.json: steps that each text goes through.
struct TextNormalizer: Sendable {
    private(set) var steps: [Step] = []

    enum Step: Sendable {
        case prepend([UInt8])
        case replace([UInt8], with: [UInt8])
        /// The regular expression ` {2,}`.
        case replaceSpaces(with: [UInt8])
        case strip(left: Bool, right: Bool)
        case precompiled(PrecompiledCharsmap)
        case nfkc
    }

    init(_ node: FileNode?) throws(TokenizerFormatError) {
        if let node { try add(node) }
    }

    private mutating func add(_ node: FileNode) throws(TokenizerFormatError) {
        switch try node.type() {
        case "Sequence": for child in try node.member("normalizers").elements() { try add(child) }
        case "Prepend": steps.append(.prepend(try node.member("prepend").bytes()))
        case "Replace": try addReplacement(node)
        case "Strip":
            steps.append(
                .strip(
                    left: try node.flag("strip_left", default: true), right: try node.flag("strip_right", default: true)
                )
            )
        case "Precompiled": try addCharsmap(node.member("precompiled_charsmap"))
        case "NFKC": steps.append(.nfkc)
        case let other: throw node.unsupported("a normalizer of type \(other)")
        }
    }

    private mutating func addReplacement(_ node: FileNode) throws(TokenizerFormatError) {
        let content = try node.member("content").bytes()
        if let pattern = try node.literalPattern() {
            if pattern.isEmpty { throw node.failure("has an empty pattern") }
            steps.append(.replace(pattern, with: content))
        } else if let expression = try node.member("pattern")["Regex"] {
            guard try expression.string() == " {2,}" else {
                throw expression.unsupported("the regular expression \(shown(try expression.bytes()))")
            }
            steps.append(.replaceSpaces(with: content))
        } else {
            throw try node.member("pattern").failure("is neither {\"String\": …} nor {\"Regex\": …}")
        }
    }

    private mutating func addCharsmap(_ node: FileNode) throws(TokenizerFormatError) {
        guard let blob = Data(base64Encoded: Data(try node.bytes())) else { throw node.failure("is no Base64") }
        do {
            if let charsmap = try PrecompiledCharsmap(blob: blob, path: node.path) {
                steps.append(.precompiled(charsmap))
            }
        } catch {
            throw node.failure("is no normalization table")
        }
    }

    /// The text after all steps; valid UTF-8 stays valid.
    func normalize(_ text: [UInt8]) -> [UInt8] {
        steps.reduce(text) { text, step in
            switch step {
            case .prepend(let prefix): text.isEmpty ? text : prefix + text
            case .replace(let pattern, let content): replacing(pattern, in: text, with: content)
            case .replaceSpaces(let content): replacingSpaces(in: text, with: content)
            case .strip(let left, let right): stripped(text, left: left, right: right)
            case .precompiled(let charsmap): mapped(text, charsmap)
            case .nfkc: nfkc(text)
            }
        }
    }
}

func replacing(_ pattern: [UInt8], in text: [UInt8], with content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count + text.count / 2)
    var index = 0
    while index < text.count {
        if text[index] == pattern[0], text[index...].starts(with: pattern) {
            result += content
            index += pattern.count
        } else {
            result.append(text[index])
            index += 1
        }
    }
    return result
}

/// Each run of two and more spaces becomes `content`.
private func replacingSpaces(in text: [UInt8], with content: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
        let run = text[index...].prefix { $0 == 0x20 }.count
        if run >= 2 { result += content } else { result.append(text[index]) }
        index += max(run, 1)
    }
    return result
}

private func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var scalars = String(decoding: text, as: UTF8.self).unicodeScalars[...]
    if left { while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() } }
    if right { while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() } }
    return Array(String(scalars).utf8)
}

private func nfkc(_ text: [UInt8]) -> [UInt8] {
    let scalars = String(decoding: text, as: UTF8.self).unicodeScalars.map(\.value)
    var result: [UInt8] = []
    for scalar in UnicodeNormalization.nfkc(scalars) { UTF8Scalars.append(scalar, to: &result) }
    return result
}

/// SentencePiece's table as `tokenizers` applies it: to a whole grapheme of less than six bytes by the shortest rule that
/// it begins with, otherwise to each of its characters.
private func mapped(_ text: [UInt8], _ charsmap: PrecompiledCharsmap) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(text.count)
    for grapheme in String(decoding: text, as: UTF8.self) {
        let bytes = Array(grapheme.utf8)
        if bytes.count < 6, let target = shortestRule(charsmap, bytes) {
            result += target
            continue
        }
        var start = 0
        while start < bytes.count {
            let end = min(start + UTF8Scalars.announcedLength(bytes[start]), bytes.count)
            let character = Array(bytes[start..<end])
            result += shortestRule(charsmap, character) ?? character[...]
            start = end
        }
    }
    // A damaged table may cut characters.
    return Array(String(decoding: result, as: UTF8.self).utf8)
}

private func shortestRule(_ charsmap: PrecompiledCharsmap, _ text: [UInt8]) -> ArraySlice<UInt8>? {
    var offset: Int?
    text.withUnsafeBufferPointer { bytes in
        charsmap.trie.forEachPrefix(of: bytes, from: 0) { value, _ in offset = offset ?? value }
    }
    return offset.map { charsmap.target(at: $0) }
}
