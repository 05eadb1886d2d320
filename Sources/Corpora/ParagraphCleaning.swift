import UnicodeText

/// A paragraph ready for a corpus: one line of UTF-8 without a line end.
public struct Paragraph: Sendable, Equatable {
    public var text: [UInt8]
    public var language: Language
}

/// The paragraphs that a raw one becomes: none if it is not text worth learning from, several if it is very long.
///
/// White space collapses to one space, a line end between Chinese characters to nothing; control characters, invisible
/// marks, private characters and a leading bullet fall away.
public func cleanedParagraphs(of raw: [UInt8]) -> [Paragraph] {
    let text = collapsed(String(decoding: raw, as: UTF8.self))
    var shape = TextShape()
    for scalar in text.unicodeScalars { shape.add(scalar) }
    guard let language = shape.language else { return [] }
    let bytes = Array(text.utf8)
    guard bytes.count > longestParagraph else { return [Paragraph(text: bytes, language: language)] }
    return splitAtSentences(bytes).map { Paragraph(text: $0, language: language) }
}

/// SentencePiece leaves out lines of more than 4,192 bytes unless told otherwise.
let longestParagraph = 4000

private func collapsed(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    var hasSpace = false
    var hasLineEnd = false
    for scalar in text.unicodeScalars {
        if isSpace(scalar) {
            hasSpace = true
            if scalar == "\n" { hasLineEnd = true }
            continue
        }
        if isInvisible(scalar) { continue }
        if hasSpace, let last = result.last {
            if !(hasLineEnd && joinsWithoutSpace(last, scalar)) { result.append(" ") }
        }
        hasSpace = false
        hasLineEnd = false
        result.append(scalar)
    }
    dropSpacesInChinese(&result)
    let bullets: Set<Unicode.Scalar> = ["•", "·", "*", "-", "+", "–", "—", "◦", "▪", "■", "□", "●", "○", "►", "▶", "☞"]
    if let first = result.first, bullets.contains(first), result.dropFirst().first == " " {
        result.removeFirst(2)
    }
    return String(result)
}

/// Drops spaces beside Chinese punctuation, and those between Chinese characters where the text is justified with them
/// (more than one such space to eight characters); a single one may set a name or number apart and stays.
private func dropSpacesInChinese(_ text: inout String.UnicodeScalarView) {
    let scalars = Array(text)
    let han = scalars.count { $0.isHan }
    guard han > 0 else { return }
    let inner = scalars.indices.dropFirst().dropLast().filter { scalars[$0] == " " }
    let between = inner.count { scalars[$0 - 1].isHan && scalars[$0 + 1].isHan }
    let isJustified = between >= 3 && between * 8 > han
    var dropped = Set<Int>()
    for index in inner where isWide(scalars[index - 1]) && isWide(scalars[index + 1]) {
        let besidePunctuation = !scalars[index - 1].isHan || !scalars[index + 1].isHan
        if besidePunctuation || isJustified { dropped.insert(index) }
    }
    guard !dropped.isEmpty else { return }
    text = String.UnicodeScalarView(scalars.indices.lazy.filter { !dropped.contains($0) }.map { scalars[$0] })
}

private func isSpace(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x09...0x0D, 0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000: true
    default: false
    }
}

/// Controls, soft hyphens, zero-width and direction marks, the private use area with its icon fonts.
private func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0...0x1F, 0x7F...0x9F, 0xAD, 0x061C, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x206F, 0xE000...0xF8FF,
        0xFE00...0xFE0F, 0xFEFF, 0xFFF9...0xFFFC:
        true
    default: false
    }
}

/// Whether a line end between the two is no space: Chinese is wrapped anywhere.
private func joinsWithoutSpace(_ left: Unicode.Scalar, _ right: Unicode.Scalar) -> Bool {
    let isLeftWide = isWide(left)
    let isRightWide = isWide(right)
    return (isLeftWide && isRightWide) || (isLeftWide && isQuote(right)) || (isQuote(left) && isRightWide)
}

private func isWide(_ scalar: Unicode.Scalar) -> Bool {
    (0x3001...0x303F).contains(scalar.value) || (0xFF00...0xFFEF).contains(scalar.value) || scalar.isHan
}

private func isQuote(_ scalar: Unicode.Scalar) -> Bool {
    (0x2014...0x2026).contains(scalar.value)
}

/// Cuts after the last sentence end before the limit, else after the last space, else between two characters.
private func splitAtSentences(_ text: [UInt8]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = text[...]
    while rest.count > longestParagraph {
        let window = rest.prefix(longestParagraph)
        var cut = lastSentenceEnd(in: window) ?? window.lastIndex(of: 0x20).map { $0 + 1 } ?? window.endIndex
        // Back to the start of a character.
        while cut > rest.startIndex, rest[cut] & 0xC0 == 0x80 { cut -= 1 }
        pieces.append(trimmed(rest[..<cut]))
        rest = rest[cut...]
    }
    pieces.append(trimmed(rest))
    return pieces.filter { !$0.isEmpty }
}

private func lastSentenceEnd(in window: ArraySlice<UInt8>) -> Int? {
    let ends = ["。", "！", "？", "；", ". ", "! ", "? "].map { Array($0.utf8) }
    var index = window.endIndex
    while index > window.startIndex + longestParagraph / 4 {
        for end in ends where window[..<index].suffix(end.count).elementsEqual(end) { return index }
        index -= 1
    }
    return nil
}

private func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var text = text
    while text.first == 0x20 { text.removeFirst() }
    while text.last == 0x20 { text.removeLast() }
    return Array(text)
}
