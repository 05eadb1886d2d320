/// The paragraphs of a fortune file: cookies between lines of a single `%`, each split at its blank lines, terminal
/// colours removed.
func paragraphs(ofFortunes file: [UInt8]) -> [[UInt8]] {
    var collector = ParagraphCollector()
    for line in file.split(separator: 0x0A, omittingEmptySubsequences: false) {
        let text = withoutTerminalColours(line)
        if text == [0x25] || text.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            collector.endParagraph()
        } else {
            collector.append(text)
            collector.append([0x0A])
        }
    }
    return collector.finish()
}

/// Drops ECMA-48 sequences: ESC, `[`, parameters, one final letter.
private func withoutTerminalColours(_ line: ArraySlice<UInt8>) -> [UInt8] {
    guard line.contains(0x1B) else { return Array(line) }
    var result: [UInt8] = []
    var rest = line
    while let byte = rest.popFirst() {
        guard byte == 0x1B else {
            result.append(byte)
            continue
        }
        guard rest.first == UInt8(ascii: "[") else { continue }
        rest = rest.dropFirst().drop { (0x20...0x3F).contains($0) }.dropFirst()
    }
    return result
}

/// The paragraphs of a plain text: what stands between blank lines.
func paragraphs(ofPlainText file: [UInt8]) -> [[UInt8]] {
    var collector = ParagraphCollector()
    for line in file.split(separator: 0x0A, omittingEmptySubsequences: false) {
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
            collector.endParagraph()
        } else {
            collector.append(line)
            collector.append([0x0A])
        }
    }
    return collector.finish()
}
