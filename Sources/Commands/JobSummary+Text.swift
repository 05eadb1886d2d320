import Foundation

extension JobSummary {
    /// The table as people read it, without a last line end.
    var text: String {
        let parts = [header, fertilityRows, qualityRows, stepRows, resultRows]
        return parts.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }.joined(separator: "\n\n")
    }

    private var header: [String] {
        [row("on held-out text", Self.languages.map(\.title))]
    }

    private var fertilityRows: [String] {
        guard !fertilities.isEmpty else { return ["tokens per character: not measured yet"] }
        var rows = ["tokens per character"]
        for fertility in fertilities {
            rows.append(
                row("  \(grouped(fertility.entries)) entries") { fertility.tokensPerCharacter[$0].map { fixed($0, 4) } }
            )
        }
        if fertilities.count == 2 {
            let before = fertilities[0].tokensPerCharacter
            let after = fertilities[1].tokensPerCharacter
            rows.append(
                row("  change") { language in
                    guard let old = before[language], let new = after[language], old > 0 else { return nil }
                    return signed((new / old - 1) * 100) + " %"
                })
        }
        return rows
    }

    private var qualityRows: [String] {
        ["bits per byte"]
            + qualities.map { quality in row("  " + quality.state) { quality.bitsPerByte?[$0].map { fixed($0, 4) } } }
    }

    private var stepRows: [String] {
        guard !steps.isEmpty else { return [] }
        let total = steps.reduce(0) { $0 + $1.seconds }
        let rows = steps.map { labelled($0.name, duration($0.seconds)) }
        return ["time"] + rows + [labelled("all steps", duration(total))]
    }

    private var resultRows: [String] {
        guard !results.isEmpty else { return [] }
        let width = results.map(\.path.count).max() ?? 0
        return ["files"] + results.map { "  \(padded($0.path, width))  \($0.meaning)" }
    }

    private static let labelWidth = 24
    private static let columnWidth = 12

    private func row(_ label: String, _ cells: [String]) -> String {
        padded(label, Self.labelWidth) + cells.map { alignedRight($0, Self.columnWidth) }.joined()
    }

    /// A row with one cell for each language; a dash where there is none.
    private func row(_ label: String, _ cell: (String) -> String?) -> String {
        row(label, Self.languages.map { cell($0.key) ?? "-" })
    }

    private func labelled(_ label: String, _ value: String) -> String {
        padded("  " + label, Self.labelWidth) + alignedRight(value, Self.columnWidth)
    }
}

private func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
}

private func alignedRight(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
}

private func signed(_ value: Double) -> String {
    String(format: "%+.1f", value)
}

/// Groups of three digits: `49,953`.
private func grouped(_ value: Int) -> String {
    let digits = Array(String(value))
    let head = digits.count % 3
    let groups = stride(from: head, to: digits.count, by: 3).map { String(digits[$0..<$0 + 3]) }
    return ((head > 0 ? [String(digits[..<head])] : []) + groups).joined(separator: ",")
}
